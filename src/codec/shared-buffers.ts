/**
 * SharedArrayBuffers on their way between threads. The bytes of a message name them; they themselves go ahead
 * of it, over a message port, where `Carried` says so. Every thread calls the same memory by the same number:
 * what comes back to a thread is the object that it has already. Read by buffers.ts, filled by the ports.
 *
 * What has arrived is kept here while messages may name it. Each naming in a message is one use of it: of a
 * message that was given it ends when that is read, of one that was lent when its sender says so. After that
 * it lives as long as the program looks at it.
 */
/** One buffer, by its number. */
export type Numbered = readonly [number: number, buffer: SharedArrayBuffer]

/** The way beside a channel. */
export interface Beside {
  /** Takes buffers to the other side, one use each. What names them follows. */
  attach(buffers: readonly Numbered[]): void
  /** As many uses have ended: nobody will read the message any more. */
  detach(numbers: readonly number[]): void
}

interface Known {
  readonly buffer: WeakRef<SharedArrayBuffer>
  uses: number
  /** The buffer itself while there are uses. */
  kept: SharedArrayBuffer | undefined
}

const known = new Map<number, Known>()
const numbers = new WeakMap<SharedArrayBuffer, number>()
const collected = new FinalizationRegistry<number>((number) => {
  if (known.get(number)?.buffer.deref() === undefined) known.delete(number)
})
let count = 0

/** How this process calls it. */
export function numberOf(buffer: SharedArrayBuffer): number {
  const number = numbers.get(buffer)
  if (number !== undefined) return number
  const { threadId } = process.getBuiltinModule('node:worker_threads')
  return enter(threadId * 2 ** 32 + ++count, buffer)
}

function enter(number: number, buffer: SharedArrayBuffer): number {
  numbers.set(buffer, number)
  known.set(number, { buffer: new WeakRef(buffer), uses: 0, kept: undefined })
  collected.register(buffer, number)
  return number
}

/** From another thread. */
export function arrive(buffers: readonly Numbered[]): void {
  for (const [number, arrived] of buffers) {
    if (known.get(number)?.buffer.deref() === undefined) enter(number, arrived)
    const entry = known.get(number)!
    entry.uses++
    entry.kept = entry.buffer.deref() ?? arrived
  }
}

/** Another thread says that so many uses have ended. */
export function leave(ended: readonly number[]): void {
  for (const number of ended) {
    const entry = known.get(number)
    if (entry !== undefined && entry.uses > 0 && --entry.uses === 0) entry.kept = undefined
  }
}

/** For a message that names it; where it was `given`, that is the end of one use. */
export function bufferOf(number: number, given: boolean): SharedArrayBuffer | undefined {
  // A ring is faster than a port. What is still to be read was posted before.
  const entry = known.get(number)
  if (entry?.buffer.deref() === undefined || (given && entry.uses === 0)) for (const draw of ports) draw()
  const buffer = known.get(number)?.buffer.deref()
  if (given) leave([number])
  return buffer
}

const ports = new Set<() => void>()

/** `draw` takes in what has arrived at a port. Answers how to take that back. */
export function onMissing(draw: () => void): () => void {
  ports.add(draw)
  return () => ports.delete(draw)
}
