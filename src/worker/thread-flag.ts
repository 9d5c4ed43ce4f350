/**
 * How a worker's first file knows that it is a thread: the last word of its command line, which it takes away
 * before anything of the user's can see it. Asking worker_threads would cost every process half a
 * millisecond.
 */
export const threadFlag = '--plait-thread'
