/**
 * The tests of futures-shutdown.test.ts once more: pools and executors whose workers are threads.
 * See ../backend.ts.
 */
import '../on-threads.js'
import './futures-shutdown.test.js'
