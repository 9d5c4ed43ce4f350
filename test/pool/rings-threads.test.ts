/**
 * The tests of rings.test.ts once more: pools and executors whose workers are threads.
 * See ../backend.ts.
 */
import '../on-threads.js'
import './rings.test.js'
