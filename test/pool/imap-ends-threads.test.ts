/** The tests of imap-ends.test.ts, on threads. */
import '../on-threads.js'
import './imap-ends.test.js'
