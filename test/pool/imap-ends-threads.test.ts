/**
 * The tests of imap-ends.test.ts once more, with pools and executors whose workers are threads: see ../backend.ts.
 */
import '../on-threads.js'
import './imap-ends.test.js'
