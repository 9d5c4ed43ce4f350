/**
 * Words of a channel, in the cell of a Queue or a Pipe, and of a record in it. The one place for these
 * offsets; addresses, blocks and lists of waiters are memory's.
 */
import { listWords } from '../memory/layout.ts'

// ── a channel ──

/** The guard of all that follows. */
export const GUARD = 0
/** SHUT, READER_GONE and WRITER_GONE. */
export const STATE = 1
/** The most records, and the most bytes; 0: no bound. */
export const MAX = 2
export const MAX_BYTES = 3
/** First word of the first record, which is where the next one comes to where there is none; 0 at first. */
export const HEAD = 4
/** First word behind the last record, and the chunk in which that is. */
export const TAIL = 5
export const TAIL_CHUNK = 6
/** Records ever put, taken, and done; each counts round. */
export const PUT = 7
export const TAKEN = 8
export const DONE = 9
/** Bytes of the records that are there. */
export const BYTES = 10
/** A waiter that was woken in vain before, and now for the next record or the next room. */
export const DUE_GETTER = 11
export const DUE_PUTTER = 12
/** Lists of those who wait for a record, and for room. */
export const GETTERS = 16
export const PUTTERS = GETTERS + listWords
export const channelWords = PUTTERS + listWords
/** Those who wait until all is done. */
export const JOINERS = PUTTERS + listWords
export const queueWords = JOINERS + listWords

/** No more is put. */
export const SHUT = 1
export const READER_GONE = 2
export const WRITER_GONE = 4

// ── a record: words at whole words of a chunk, then shares, blocks, and the bytes ──

/** Its words, all in all; 0 where no record begins yet; LINK. The last to be written. */
export const R_SIZE = 0
/** PUT, when it was put. */
export const R_SEQUENCE = 1
/** CAPTURED and BIG. */
export const R_FLAGS = 2
export const R_LENGTH = 3
/** Cells of the handles in it. */
export const R_SHARES = 4
/** Blocks that go with it. */
export const R_BLOCKS = 5
export const recordWords = 6

/** The payload holds code, or names modules. */
export const CAPTURED = 1
/** The payload lies in the first of its blocks. */
export const BIG = 2

/** In place of a size: the log goes on in another chunk. Then that chunk, and this one. */
export const LINK = -1
export const linkWords = 3
