/**
 * The tests of futures-death.test.ts once more: pools and executors whose workers are threads.
 * See ../backend.ts.
 */
import '../on-threads.js'
import './futures-death.test.js'
