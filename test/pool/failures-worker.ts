/**
 * What the walk over the table of failures runs in workers: the task that is watched, the one before it, the
 * initializers, and the faults. Functions travel by reference: this is a module. It asserts nothing.
 */
import { closeSync, mkdirSync, openSync, readlinkSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { isMainThread } from 'node:worker_threads'
import { hold, reach } from '../gate.js'

/** Whatever is said on stderr from here on, by V8 too, is no part of the test's output. */
function quiet(): void {
  if (!isMainThread) return void (process.stderr.write = () => true)
  closeSync(2)
  openSync('/dev/null', 'w')
}

/** A promise that keeps the process alive and never settles. */
function forever(): Promise<never> {
  return new Promise(() => setInterval(() => {}, 1000))
}

function spin(): never {
  for (;;);
}

/** Calls `fn` in this turn of the loop, when what the task returns has left: before anything else comes. */
function inThisTurn(fn: () => void, ticks: number): void {
  process.nextTick(() => (ticks === 0 ? fn() : inThisTurn(fn, ticks - 1)))
}

/** Ways for a task to misbehave. What one returns its task returns; undefined: the task's own value. */
const faults = {
  none: () => undefined,
  exit: () => process.exit(7),
  uncaught: () => {
    quiet()
    setImmediate(() => {
      throw new RangeError('stray')
    })
    return forever()
  },
  rejection: () => {
    quiet()
    setImmediate(() => void Promise.reject(new RangeError('stray')))
    return forever()
  },
  memory: () => {
    quiet()
    const all: unknown[] = []
    for (;;) all.push(Array.from({ length: 10_000 }, (_, i) => ({ i })))
  },
  loop: spin,
  leftLoop: (when) => (when === 'after' ? spin() : inThisTurn(spin, 20)),
  closeChannel: () => {
    closeSync(3)
    return forever()
  },
  /** And goes no further: what it says afterwards could not be told from garbage. */
  garbage: () => {
    writeSync(3, 'a library that prints to a descriptor it does not own\n')
    spin()
  },
  badResult: () => new WeakMap(),
  badError: () => {
    throw Object.assign(new RangeError('no socket travels'), { socket: new WeakMap() })
  },
  foreignError: async () => {
    const { Foreign } = (await import(process.env['PLAIT_TEST_FOREIGN']!)) as { Foreign: new () => Error }
    throw new Foreign()
  },
  plainError: () => {
    throw new RangeError('as thrown')
  },
} satisfies Record<string, (when: 'inside' | 'after') => unknown>

export type Fault = keyof typeof faults

export interface Orders {
  readonly folder: string
  /** Points are called so, and `<name>-go` lets it go on. */
  readonly name: string
  readonly fault: Fault
  /** In the task, or once its result has been written. */
  readonly when: 'inside' | 'after'
}

/** The system's number of this thread; that of a main thread is the pid. */
function tid(): number {
  return process.platform === 'linux'
    ? Number(readlinkSync('/proc/thread-self').split('/').at(-1))
    : process.pid
}

/** The number of the thread that ran it, where the fault does not say otherwise. */
export function act({ folder, name, fault, when }: Orders): unknown {
  reach(folder, `by-${tid()}-ran-${name}`)
  reach(folder, name)
  hold(folder, `${name}-go`)
  // A turn of the loop later all that was sent in this one is with the kernel.
  setImmediate(() => {
    reach(folder, `${name}-written`)
    if (when === 'after') void faults[fault](when)
    reach(folder, `${name}-struck`)
  })
  const outcome = when === 'inside' ? faults[fault](when) : undefined
  return outcome === undefined ? tid() : outcome
}

/** The first worker starts; the second, once it may, does not. */
export function secondFails(folder: string, how: 'throw' | 'hang' | 'exit'): unknown {
  try {
    mkdirSync(join(folder, 'first'))
    return
  } catch {
    // another was first
  }
  reach(folder, 'second')
  hold(folder, 'second-go')
  setImmediate(() => setImmediate(() => reach(folder, 'second-failed')))
  if (how === 'hang') return forever()
  if (how === 'exit') process.exit(9)
  throw new RangeError('no database')
}
