/**
 * What one run of chaos does, drawn from a seed: which call, what its task will do, and what may come of it.
 * Used by chaos.ts. Functions travel by reference: this is a module. It starts nothing.
 */
import { currentTask } from 'plait'

/** What a task does beside giving back its number, and how often in ten thousand. */
const calm = { async: 200, slow: 150, big: 30, throw: 60, unsendable: 20, hang: 8 }
const lethal = { kill: 8, exit: 8, stray: 4 }
export type Fate = 'fast' | keyof typeof calm | keyof typeof lethal

/** Draws a fate; lethal ones where the mood is so. */
export function drawFate(next: () => number, deadly: boolean): Fate {
  let place = next() * 10_000
  for (const [fate, often] of Object.entries(deadly ? { ...calm, ...lethal } : calm))
    if ((place -= often) < 0) return fate as Fate
  return 'fast'
}

export const isLethal = (fate: Fate): boolean => fate in lethal

export interface Item {
  readonly n: number
  readonly fate: Fate
}

/** What a task that ends gives back. */
export function answer({ n, fate }: Item): unknown {
  return fate === 'big' ? `${n} `.repeat(20_000) : n * 2
}

/** In a worker. */
export async function live(item: Item): Promise<unknown> {
  const spin = (ms: number): void => {
    for (const end = performance.now() + ms; performance.now() < end;);
  }
  switch (item.fate) {
    case 'async':
      await new Promise((resolve) => setTimeout(resolve, item.n % 5))
      break
    case 'slow':
      spin(item.n % 7)
      break
    case 'throw':
      throw new RangeError(`task ${item.n}`)
    case 'unsendable':
      return new WeakMap()
    case 'kill':
      process.kill(process.pid, 'SIGKILL')
      spin(60_000)
      break
    case 'exit':
      process.exit(item.n % 100)
    // oxlint-disable-next-line no-fallthrough -- process.exit() does not return
    case 'stray':
      process.stderr.write = () => true
      setImmediate(() => {
        throw new RangeError('stray')
      })
      await new Promise(() => setInterval(() => {}, 1000))
      break
    case 'hang': {
      // Ends when it is told to; whoever makes it sees to it that it is.
      const { signal } = currentTask()!
      if (item.n % 2 === 0) spin(60_000)
      const alive = setInterval(() => {}, 1000)
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      clearInterval(alive)
    }
  }
  return answer(item)
}

/** As `live`, and without a promise where it needs none. */
export function act(item: Item): unknown {
  return item.fate === 'fast' || item.fate === 'big' ? answer(item) : live(item)
}

/** A number in [0, 1) from a seed: the same ones in the same order. */
export function random(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x9e37_79b9) | 0
    let x = state ^ (state >>> 16)
    x = Math.imul(x, 0x21f0_aaad)
    x ^= x >>> 15
    x = Math.imul(x, 0x735a_2d97)
    return ((x ^ (x >>> 15)) >>> 0) / 2 ** 32
  }
}
