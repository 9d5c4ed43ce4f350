/** The tests of futures-shutdown.test.ts, on threads. */
import '../on-threads.js'
import './futures-shutdown.test.js'
