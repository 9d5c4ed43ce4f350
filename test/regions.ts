/**
 * The shared memory of this process, read through its descriptors: of every plait that is loaded here, the
 * published one and the sources, whose own functions see each its own alone. For leaks.ts. It writes nothing
 * and trusts nobody to be at rest: who looks while others work may see a block twice, or not at all.
 */
import { fstatSync, readdirSync, readlinkSync, readSync } from 'node:fs'
import * as at from '#plait/memory/layout.js'

export interface Use {
  /** Blocks in use, by kind; pages of nodes are not counted, which belong to a slot for ever. */
  readonly blocks: ReadonlyMap<number, number>
  /** Threads and processes that take part, and this one's main thread among them. */
  readonly participants: number
  /** Slots that somebody began to take, and died. */
  readonly halfClaimed: number
}

/** By the memory's inode. */
export function regionsInUse(): Map<number, Use> {
  const found = new Map<number, Use>()
  for (const name of readdirSync('/proc/self/fd')) {
    const fd = Number(name)
    try {
      if (!readlinkSync(`/proc/self/fd/${name}`).includes('memfd:plait')) continue
      const { ino } = fstatSync(fd)
      if (!found.has(ino)) found.set(ino, use(fd))
    } catch {
      // the descriptor of the listing itself
    }
  }
  return found
}

function use(fd: number): Use {
  const head = new Int32Array(at.controlFirst * at.blockWords)
  readSync(fd, head, 0, head.byteLength, 0)
  const slots = Array.from({ length: at.slots }, (_, i) => at.SLOTS + i * at.slotWords)
  const isIn = (slot: number, state: number): boolean =>
    head[slot + at.S_PID] !== 0 && (head[slot + at.S_STATE] & 3) === state
  return {
    blocks: blocksIn(fd, head),
    participants: slots.filter((slot) => isIn(slot, at.LIVE)).length,
    halfClaimed: slots.filter((slot) => isIn(slot, at.FREE_SLOT)).length,
  }
}

function blocksIn(fd: number, head: Int32Array): Map<number, number> {
  const blocks = new Map<number, number>()
  const header = new Int32Array(2)
  for (const [first, top] of [
    [at.controlFirst, at.CONTROL_TOP],
    [at.arenaFirst, at.ARENA_TOP],
  ] as const)
    for (let address = first; address < head[top] >>> 0; address += 2 ** header[0] + 1) {
      readSync(fd, header, 0, 8, address * at.blockBytes + at.H_CLASS * 4)
      const kind = header[1]
      if (kind !== at.kinds.free && kind !== at.kinds.nodes) blocks.set(kind, (blocks.get(kind) ?? 0) + 1)
    }
  return blocks
}
