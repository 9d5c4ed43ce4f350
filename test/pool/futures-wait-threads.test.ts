/**
 * The tests of futures-wait.test.ts once more: pools and executors whose workers are threads.
 * See ../backend.ts.
 */
import '../on-threads.js'
import './futures-wait.test.js'
