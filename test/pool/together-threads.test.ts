/** The tests of together.test.ts, on threads. */
import '../on-threads.js'
import './together.test.js'
