/**
 * Who waits for a cell, in order of arrival: a list of nodes, one for each wait, of sync and async waiters
 * alike, so that neither can starve the other. The list belongs to the cell's guard and every change of it is
 * one store (W1). A node is granted by one compare-and-swap, against which giving up competes: exactly one of
 * the two happens (W2). Nodes live in pages that belong to a slot for ever: an entry that outlived its wait
 * points to a node, never into something else (W3). A node waits from `push` on and in that list alone (W4):
 * whoever was told that the guard's last holder died calls `purge`, and the list is exact again.
 */
import { compareExchange, exchange, load, store, wake, type Words } from './atomics.ts'
import { ring } from './bell.ts'
import { allocate, capacityOf, free, freeAt, wordAt, write } from './heap.ts'
import * as at from './layout.ts'
import { isKnown, me, slotAt, slotOf } from './participants.ts'
import { region } from './region.ts'

// ── nodes ──

/** With the page's first words, which link it: a block of 4 KiB. */
const pageNodes = 127
/** Nodes of this thread that are not in use. */
const idle: number[] = []
let pages: number | undefined

/** A node of this thread, IDLE until it is pushed; `async` where its event loop goes on. */
export function takeNode(async: boolean): number {
  const { words } = region()
  const node = idle.pop() ?? newPage(words)
  store(words, node + at.N_OWNER, me())
  store(words, node + at.N_ASYNC, async ? 1 : 0)
  store(words, node + at.N_VALUE, 0)
  store(words, node + at.N_HUNGRY, 0)
  store(words, node + at.N_LIST, 0)
  return node
}

/** The wait is over and no list has it: see `remove`. */
export function giveNode(node: number): void {
  idle.push(node)
  store(region().words, node + at.N_STATE, at.IDLE)
}

function newPage(words: Words): number {
  const first = slotAt(slotOf(me())) + at.S_NODES
  if (pages === undefined) {
    // What an earlier owner of the slot left: its entries may still lie in lists, and find nobody waiting.
    pages = load(words, first)
    for (let page = pages; page !== 0; page = load(words, wordAt(page))) addNodes(words, page)
    if (idle.length > 0) return idle.pop()!
  }
  const page = allocate(4 * at.nodeWords * (pageNodes + 1), at.kinds.nodes)
  store(words, wordAt(page), pages)
  store(words, first, page) // the commit: a sweep finds it to be the slot's from here on
  write(page, at.H_OWNER, 0)
  pages = page
  addNodes(words, page)
  return idle.pop()!
}

function addNodes(words: Words, page: number): void {
  for (let i = pageNodes; i >= 1; i--) {
    const node = wordAt(page) + i * at.nodeWords
    store(words, node + at.N_STATE, at.IDLE)
    idle.push(node)
  }
}

/**
 * Ends the wait of a node that is WAITING, and says so to its waiter; false where it is not (any more). The
 * waiter sleeps on until `tell`.
 */
export function grant(words: Words, node: number, value: number): boolean {
  // Before the grant: the waiter that sees it reads this. Only one grants at a time, by the list's guard.
  store(words, node + at.N_VALUE, value)
  return compareExchange(words, node + at.N_STATE, at.WAITING, at.GRANTED) === at.WAITING
}

/** The waiter gives up; false where it was granted before that, and has to do with it what is right. */
export function giveUp(words: Words, node: number): boolean {
  return compareExchange(words, node + at.N_STATE, at.WAITING, at.GIVEN_UP) === at.WAITING
}

/** Wakes the waiter of a granted node. After the guard was left: what wakes up would run into it. */
export function tell(words: Words, node: number): void {
  if (load(words, node + at.N_ASYNC) === 0) return wake(words, node + at.N_STATE, 1)
  const owner = load(words, node + at.N_OWNER)
  if (!isKnown(owner)) return
  const ready = slotAt(slotOf(owner)) + at.S_READY
  for (;;) {
    const top = load(words, ready)
    store(words, node + at.N_NEXT, top)
    // Pushed before the ring: who is rung takes the whole stack.
    if (compareExchange(words, ready, top, node) === top) break
  }
  ring(owner)
}

/** The granted async nodes of this thread, last first; its stack is empty afterwards. */
export function takeReady(words: Words): number[] {
  const nodes: number[] = []
  const seen = new Set<number>()
  let node = exchange(words, slotAt(slotOf(me())) + at.S_READY, 0)
  // A node that was told late may be there twice, and then leads in a circle.
  for (; node !== 0 && !seen.has(node); node = load(words, node + at.N_NEXT)) {
    seen.add(node)
    nodes.push(node)
  }
  return nodes
}

/**
 * How many waits in this list were granted to a participant that died before it saw it. Counted once: the
 * nodes are idle afterwards.
 */
export function takeUnseen(words: Words, owner: number, list: number): number {
  let unseen = 0
  let page = load(words, slotAt(slotOf(owner)) + at.S_NODES)
  for (; page !== 0; page = load(words, wordAt(page)))
    for (let i = 1; i <= pageNodes; i++) {
      const node = wordAt(page) + i * at.nodeWords
      if (load(words, node + at.N_LIST) !== list || load(words, node + at.N_OWNER) !== owner) continue
      if (compareExchange(words, node + at.N_STATE, at.GRANTED, at.IDLE) === at.GRANTED) unseen++
    }
  return unseen
}

// ── lists; all below under the guard of the cell ──

export function isEmpty(words: Words, list: number): boolean {
  return load(words, list + at.L_HEAD) === load(words, list + at.L_TAIL)
}

/** Last in line. */
export function push(words: Words, list: number, node: number): void {
  makeRoom(words, list)
  const tail = load(words, list + at.L_TAIL)
  arm(words, list, node, tail)
  store(words, entryAt(words, list, tail), node)
  store(words, list + at.L_TAIL, (tail + 1) | 0) // the commit
}

/** First in line: one that was woken and found nothing. */
export function pushFirst(words: Words, list: number, node: number): void {
  makeRoom(words, list)
  const head = load(words, list + at.L_HEAD)
  arm(words, list, node, head - 1)
  store(words, entryAt(words, list, head - 1), node)
  store(words, list + at.L_HEAD, (head - 1) | 0) // the commit
}

/** Before the commit: who finds the entry finds it waiting. */
function arm(words: Words, list: number, node: number, counter: number): void {
  store(words, node + at.N_LIST, list)
  store(words, node + at.N_AT, counter | 0)
  store(words, node + at.N_STATE, at.WAITING)
}

/**
 * Grants the first that waits and is known to live, and takes it out of the list; 0 where nobody does. What
 * the grant means must be stored before, where a death behind it must not leave the waiter with nothing.
 */
export function grantFirst(words: Words, list: number, value: number): number {
  for (;;) {
    const node = first(words, list)
    if (node === 0) return 0
    if (!grant(words, node, value)) continue // it gave up, and `first` drops it
    // After the grant: a death before this leaves an entry that waits no more, one after it leaves none. The
    // other way round, a waiter that nobody has in a list would be left.
    store(words, list + at.L_HEAD, (load(words, list + at.L_HEAD) + 1) | 0)
    return node
  }
}

/** The first that waits and is known to live, left where it is; those before it are dropped. 0 for nobody. */
export function first(words: Words, list: number): number {
  for (;;) {
    const head = load(words, list + at.L_HEAD)
    if (head === load(words, list + at.L_TAIL)) return 0
    const node = load(words, entryAt(words, list, head))
    if (isWaiting(words, list, node) && isKnown(load(words, node + at.N_OWNER))) return node
    store(words, list + at.L_HEAD, (head + 1) | 0)
  }
}

/** Takes out a node that gave up, so that it may be used again. */
export function remove(words: Words, list: number, node: number): void {
  const entry = find(words, list, node)
  if (entry !== 0) store(words, entry, 0)
  first(words, list) // drops what leads the list and waits no more
}

/**
 * The guard's last holder died in it: drops what the list has twice, or has and waits no more. Afterwards
 * every entry is of a wait that goes on.
 */
export function purge(words: Words, list: number): void {
  const seen = new Set<number>()
  const tail = load(words, list + at.L_TAIL)
  for (let i = load(words, list + at.L_HEAD); i !== tail; i = (i + 1) | 0) {
    const entry = entryAt(words, list, i)
    const node = load(words, entry)
    if (node === 0) continue
    if (seen.has(node) || !isWaiting(words, list, node)) store(words, entry, 0)
    seen.add(node)
  }
}

function isWaiting(words: Words, list: number, node: number): boolean {
  return node !== 0 && load(words, node + at.N_STATE) === at.WAITING && load(words, node + at.N_LIST) === list
}

function find(words: Words, list: number, node: number): number {
  const head = load(words, list + at.L_HEAD)
  const tail = load(words, list + at.L_TAIL)
  const noted = load(words, node + at.N_AT)
  const expected = entryAt(words, list, noted)
  if (((noted - head) | 0) >= 0 && ((tail - noted) | 0) > 0 && load(words, expected) === node) return expected
  // It was shifted out, or somebody died while it gave the entries new places.
  if (load(words, node + at.N_LIST) !== list) return 0
  for (let i = head; i !== tail; i = (i + 1) | 0) {
    const entry = entryAt(words, list, i)
    if (load(words, entry) === node) return entry
  }
  return 0
}

/** All that wait, first to last. */
export function* waiting(words: Words, list: number): Generator<number> {
  const tail = load(words, list + at.L_TAIL)
  for (let i = load(words, list + at.L_HEAD); i !== tail; i = (i + 1) | 0) {
    const node = load(words, entryAt(words, list, i))
    if (isWaiting(words, list, node)) yield node
  }
}

/** The cell is given back: so is what its list outgrew into. */
export function dropList(words: Words, list: number): void {
  freeAt(words, list + at.L_ENTRIES)
}

function makeRoom(words: Words, list: number): void {
  const count = (load(words, list + at.L_TAIL) - load(words, list + at.L_HEAD)) | 0
  if (count >= capacity(words, list)) grow(words, list)
}

function capacity(words: Words, list: number): number {
  const entries = load(words, list + at.L_ENTRIES)
  return entries === 0 ? at.inlineEntries : capacityOf(entries) / 4
}

function entryAt(words: Words, list: number, counter: number): number {
  const entries = load(words, list + at.L_ENTRIES)
  if (entries === 0) return list + at.L_INLINE + ((counter >>> 0) & (at.inlineEntries - 1))
  return wordAt(entries) + ((counter >>> 0) & (capacity(words, list) - 1))
}

/**
 * Moves the entries to another block: to one of the same size where half of them wait no more, else to a
 * larger one. They lie close together before TAIL there, with zeros before them, so that the old HEAD is
 * right with the new entries as well (W5). One store makes it theirs; a death beside that store costs one
 * of the two blocks: to free one that is in use would be worse.
 */
function grow(words: Words, list: number): void {
  const nodes = Array.from(waiting(words, list))
  const room = Math.max(32, capacity(words, list) * (nodes.length * 2 > capacity(words, list) ? 2 : 1))
  const entries = allocate(4 * room, at.kinds.entries)
  const first = wordAt(entries)
  const tail = load(words, list + at.L_TAIL)
  const head = (tail - nodes.length) | 0
  for (const [i, node] of nodes.entries()) {
    store(words, first + (((head + i) >>> 0) & (room - 1)), node)
    store(words, node + at.N_AT, (head + i) | 0)
  }
  write(entries, at.H_OWNER, 0)
  const old = load(words, list + at.L_ENTRIES)
  store(words, list + at.L_ENTRIES, entries) // the commit
  store(words, list + at.L_HEAD, head)
  if (old !== 0) free(old)
}
