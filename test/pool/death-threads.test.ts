/** The tests of death.test.ts, on threads. */
import '../on-threads.js'
import './death.test.js'
