/** The tests of workers.test.ts, on threads. */
import '../on-threads.js'
import './workers.test.js'
