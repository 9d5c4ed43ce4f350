/** The tests of corners.test.ts, on threads. */
import '../on-threads.js'
import './corners.test.js'
