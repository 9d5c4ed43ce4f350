/** The tests of futures-death.test.ts, on threads. */
import '../on-threads.js'
import './futures-death.test.js'
