/**
 * Every bound that plait sets on itself, in one place, each with its reason. Nothing here is an option: what
 * a user may choose is in the options of the thing it belongs to.
 */

/**
 * Deeper values are refused by encoder and decoder alike: recursion must end before the stack does. Well
 * below what nested maps, the hungriest, can take in an unoptimized encoder on a fresh stack of Node's
 * default size.
 */
export const maxDepth = 1_000

/** The largest payload of one record: a length beyond it is garbage on the wire, not a message. */
export const maxRecordBytes = 0x7fff_0000

/** Output of a channel is written at the end of the tick, or at once when this much is waiting. */
export const flushBytes = 48 * 1024

/**
 * Tasks that a worker may hold where each takes a few microseconds: what it does while the parent is
 * preempted once.
 */
export const maxCredit = 1024

/** Bytes of arguments that a worker may hold beyond its first task: more would only sit in the socket. */
export const maxHeldBytes = 1024 * 1024

/**
 * The last number that a task may have at its worker, which is replaced then. Ledger and records have 32 bits
 * for it; V8 keeps it without an object of its own up to here.
 */
export const lastNumber = 2 ** 31 - 1

/** Workers in a row that end before they are ready, and after which a pool calls itself broken. */
export const maxFailedStarts = 4

/** Milliseconds that a child has between the end of its control stream and the reaper's SIGKILL. */
export const orphanGrace = 300

/**
 * Milliseconds that the output of a killed program is still read for. What was written before its death is
 * there at once; only a descendant that left the program's group can keep the pipe open for longer.
 */
export const drainGrace = 100

/** Milliseconds that a killed process group may take to die: something in it may be stuck in the system. */
export const groupGrace = 250
