/**
 * The tests of death.test.ts once more: pools and executors whose workers are threads.
 * See ../backend.ts.
 */
import '../on-threads.js'
import './death.test.js'
