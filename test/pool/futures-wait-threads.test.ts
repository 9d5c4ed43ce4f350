/** The tests of futures-wait.test.ts, on threads. */
import '../on-threads.js'
import './futures-wait.test.js'
