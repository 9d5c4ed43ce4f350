/**
 * The tests of pool.test.ts once more, with pools and executors whose workers are threads: see ../backend.ts.
 */
import '../on-threads.js'
import './pool.test.js'
