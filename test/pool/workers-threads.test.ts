/**
 * The tests of workers.test.ts once more: pools and executors whose workers are threads.
 * See ../backend.ts.
 */
import '../on-threads.js'
import './workers.test.js'
