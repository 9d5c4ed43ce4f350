/**
 * The tests of imap-ends.test.ts once more: pools and executors whose workers are threads.
 * See ../backend.ts.
 */
import '../on-threads.js'
import './imap-ends.test.js'
