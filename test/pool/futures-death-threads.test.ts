/**
 * The tests of futures-death.test.ts once more, with pools and executors whose workers are threads: see ../backend.ts.
 */
import '../on-threads.js'
import './futures-death.test.js'
