/**
 * The tests of corners.test.ts once more: pools and executors whose workers are threads.
 * See ../backend.ts.
 */
import '../on-threads.js'
import './corners.test.js'
