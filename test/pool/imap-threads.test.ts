/** The tests of imap.test.ts, on threads. */
import '../on-threads.js'
import './imap.test.js'
