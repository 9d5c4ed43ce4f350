/**
 * The table of failures (failures.ts), walked with tasks that are submitted by executor.submit, on threads:
 * what threads do not know is left out, as the table says.
 */
import '../on-threads.js'
import './failures-submit.test.js'
