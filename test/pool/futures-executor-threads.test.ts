/** The tests of futures-executor.test.ts, on threads. */
import '../on-threads.js'
import './futures-executor.test.js'
