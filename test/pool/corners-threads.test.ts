/**
 * The tests of corners.test.ts once more, with pools and executors whose workers are threads: see ../backend.ts.
 */
import '../on-threads.js'
import './corners.test.js'
