/**
 * Binds the tests that are imported after this to threads: see backend.ts. In the environment, so that
 * workers know it too.
 */
process.env['PLAIT_TEST_BACKEND'] = 'thread'
