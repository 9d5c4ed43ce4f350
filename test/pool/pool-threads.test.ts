/** The tests of pool.test.ts, on threads. */
import '../on-threads.js'
import './pool.test.js'
