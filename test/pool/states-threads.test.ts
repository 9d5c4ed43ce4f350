/**
 * The tests of states.test.ts once more, with pools and executors whose workers are threads: see ../backend.ts.
 */
import '../on-threads.js'
import './states.test.js'
