/**
 * The tests of futures-executor.test.ts once more: pools and executors whose workers are threads.
 * See ../backend.ts.
 */
import '../on-threads.js'
import './futures-executor.test.js'
