/**
 * Where everything lies in a region: the one place for offsets. A word is 4 bytes, a block 64 (a cache line),
 * and an address is the number of a block. README.md has the same as tables, with who may write what.
 */

/** Bytes of a block, and its words. */
export const blockBytes = 64
export const blockWords = 16

/** "plt1", and the version of this layout: both ends of a region are of one version of plait. */
export const magic = 0x706c7431

// ── the region's first words ──

export const MAGIC = 0
/** Taken around every change of the heap's free lists. */
export const HEAP_GUARD = 16
/** Blocks from here on were never used: of the control part, and of the arena. */
export const CONTROL_TOP = 17
export const ARENA_TOP = 18
/** Where a search for a free participant's slot begins, and one for the dead: hints. */
export const SLOT_HINT = 19
export const DEATH_HINT = 20
/** KiB of free blocks whose pages may still be the system's to give: see `discard`. */
export const KEPT = 21
/** 64 words: the first free block of each class, 0 where there is none: control part, then arena. */
export const FREE = 32
export const ARENA_FREE = FREE + 32

// ── participants: entries of `slotWords` words ──

/** Participants with a bit in the masks of holders. */
export const slots = 1024
/** One more, for a newcomer that finds no slot and buries the dead to get one. */
export const RESERVE = 1024
export const slotWords = 16
export const SLOTS = 128

/** The generation, which grows with each burial, and in the two lowest bits FREE_SLOT, LIVE or DYING. */
export const S_STATE = 0
/** The number that Node gives a thread, unique in its process; 0 for a main thread. */
export const S_THREAD = 1
/** Its process; 0 where the slot is free. Who sets it in a free slot has claimed it. */
export const S_PID = 2
/** The thread's id in the system; equal to the pid for a main thread. 0 where the system does not tell. */
export const S_TID = 3
/** When the thread began, in the system's own clock: a later one with the same id is another. */
export const S_STARTED = 4
/** Descriptor of its doorbell in its process, plus 1, and the inode of that pipe. */
export const S_BELL = 5
export const S_INODE = 6
/** 1 where its event loop may sleep: only then the bell is rung. */
export const S_ASLEEP = 7
/** The last of its async waiters that was granted: a stack through N_NEXT. */
export const S_READY = 8
/** Address of its first page of nodes. */
export const S_NODES = 9
/** Who sweeps a DYING one: an owner's word, or 0. */
export const S_SWEEPER = 10
/** 1 where it was started by another and has opened all that it was lent. */
export const S_OPENED = 11

export const FREE_SLOT = 0
export const LIVE = 1
export const DYING = 2

// ── heap blocks: the header lies in the block before the address ──

/** The class: the payload has 2 ** class blocks. Written once, when the block is cut. */
export const H_CLASS = -16
/** What lies there; 0 for a free one. Written last when a block is taken: what a kind is said of is whole. */
export const H_KIND = -15
/** Owner's word of the participant to whom it belongs alone; 0 where it belongs to a cell or to nobody. */
export const H_OWNER = -14
/** The next free one of its class; in use: the next in a list of its owner's. */
export const H_NEXT = -13
/**
 * Of a cell: participants that hold it, and messages under way that do. Below 0: minus the owner's word of
 * whoever has taken the block, and not made a cell of it (yet), or destroys the cell; nobody may hold it.
 */
export const H_HOLDS = -12
/** In use: 1 where it is a cell, whose payload begins with the mask of its holders. */
export const H_HELD = -11
/** Of a free block: 1 where its pages are counted in KEPT. */
export const H_KEPT = -10

/** The first address of the heap; arena blocks begin at 1 GiB. */
export const controlFirst = (SLOTS + (slots + 1) * slotWords) / blockWords + 1
export const arenaFirst = 2 ** 24 + 1
/** 64 KiB: what is larger lies in the arena, save for what is addressed by words. */
export const largestControl = 10

/** Words of the mask of holders: one bit for each slot. */
export const maskWords = slots / 32

// ── kinds of blocks ──

export const kinds = {
  free: 0,
  /** A page of waiters' nodes; belongs to a slot for ever. */
  nodes: 1,
  /** The entries of a list of waiters that outgrew its cell; in the control part, whatever its size. */
  entries: 2,
  /** Bytes of one payload. */
  payload: 3,
  /** Where named memory is mapped, see mappings.ts. */
  mapping: 4,
  // Cells, which higher floors give their meaning:
  lock: 16,
  rlock: 17,
  semaphore: 18,
  event: 19,
  condition: 20,
  barrier: 21,
  value: 22,
  array: 23,
  queue: 32,
  chunk: 33,
  pipe: 34,
  end: 35,
  ring: 48,
  local: 49,
} as const

// ── a waiter's node ──

export const nodeWords = 8
/** IDLE, WAITING, GRANTED or GIVEN_UP; a sync waiter sleeps on it. */
export const N_STATE = 0
/** Owner's word of the participant that waits. */
export const N_OWNER = 1
/** 1 where it waits in its event loop. */
export const N_ASYNC = 2
/** In the stack of granted ones: the next node's first word, or 0. */
export const N_NEXT = 3
/** What the granter has to say. */
export const N_VALUE = 4
/** 1 where it was woken before and found nothing: the next grant must be a gift. */
export const N_HUNGRY = 5
/** First word of the list in which it waits. */
export const N_LIST = 6
/** The counter of its entry there: where to look first. */
export const N_AT = 7

export const IDLE = 0
export const WAITING = 1
export const GRANTED = 2
export const GIVEN_UP = 3

// ── a list of waiters, in a cell ──

/** Counters: entries lie from HEAD up to TAIL, at the counter modulo the capacity. */
export const L_HEAD = 0
export const L_TAIL = 1
/** Address of the entries where they outgrew the cell, else 0. */
export const L_ENTRIES = 2
export const L_INLINE = 4
/** A power of two, so that the counters may wrap. */
export const inlineEntries = 8
export const listWords = L_INLINE + inlineEntries
