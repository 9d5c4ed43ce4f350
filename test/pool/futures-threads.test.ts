/** The tests of futures.test.ts, on threads. */
import '../on-threads.js'
import './futures.test.js'
