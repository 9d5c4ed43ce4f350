/**
 * All records between a pool and one of its workers, both ways, with the layout of each payload. Integers are
 * little endian; `payload` is what closure/ writes for one value. The control kinds below 16 belong to
 * worker/.
 */

/** Both ways: a template that a later payload needs. The template's bytes. */
export const TEMPLATE = 16

/** Both ways: the last over the control channel; what follows comes through the ring. */
export const RINGS = 23

// ── pool → worker ──

/** u32 image · payload of one function. Sent before the first task that calls it. */
export const IMAGE = 17
/** u32 seq · u32 id · u32 image · u16 attempt · u16 flags · payload of the arguments. */
export const TASK = 18
/** u32 image: no later task calls it. */
export const FORGET = 19
/** u32 seq · u8 why: the task's signal aborts. */
export const CANCEL = 20
/** Finish what is held, then end. */
export const EXIT = 21
/** payload of [initializer, initargs]: to be run before READY. */
export const INIT = 22

// ── worker → pool ──

/** Booted, initializer done. */
export const READY = 32
/** payload of the error that the initializer threw. */
export const START_FAILED = 33
/** u32 seq: a task with the flag ANNOUNCE begins. */
export const BEGUN = 34
/** u32 seq · u32 microseconds · payload of the value; of a chunk: of the array of values. */
export const RESULT = 35
/** u32 seq · u32 microseconds · payload of what was thrown. */
export const FAILURE = 36
/** u32 seq: recalled before it began. */
export const SKIPPED = 37
/** payload of an error outside of any task, which ends the worker. */
export const CRASHED = 38
/** u32 seq · u32 microseconds · payload of [values, [index, error]…]: of a chunk with the flag EACH. */
export const MIXED = 39

/** Bytes before the arguments' payload in a TASK, before the payload in a RESULT. */
export const taskHead = 16
export const resultHead = 8

// ── flags of a TASK ──

/** The payload is an array of items, each a call of its own. */
export const CHUNK = 1
/** Each item is an array of arguments. */
export const STAR = 2
/** Send BEGUN before the call: the task has a timeout. */
export const ANNOUNCE = 4
/** An item that throws fails alone: the others of its chunk are called all the same. */
export const EACH = 8
/** The pool may take it back for good as long as it has not begun, whatever else the worker does. */
export const REVOCABLE = 16
/**
 * The payload begins with the function: it has a variable in common with what it is called with. The image is
 * not used.
 */
export const TOGETHER = 32

// ── why a CANCEL ──

export const ABORTED = 1
export const TIMED_OUT = 2
