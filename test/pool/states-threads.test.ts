/** The tests of states.test.ts, on threads. */
import '../on-threads.js'
import './states.test.js'
