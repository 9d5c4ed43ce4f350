/**
 * Parties on both sides: each test body runs in a process or in a thread, and can be ended there. Where
 * processes share no memory (PLAIT_TRANSPORT=shared) every party is a thread.
 */
import { Worker } from 'node:worker_threads'
import { Carried } from '#plait/codec/handles.js'
import { encode } from '#plait/codec/encode.js'
import { Writer } from '#plait/codec/writer.js'
import { regionForThread, unmappedReason } from '#plait/memory/region.js'
import { buryThread } from '#plait/memory/sweep.js'
import { Process } from '#plait/worker/process.js'
import { bodies } from './bodies.ts'

type Bodies = typeof bodies
export type Where = 'process' | 'thread'

export interface Party<R = unknown> {
  readonly result: Promise<R>
  /** Ends it at once; resolves when it has ended. */
  kill(): Promise<void>
  readonly ended: Promise<unknown>
}

/** Whether there are processes that see the same memory. */
export const mapped = unmappedReason() === undefined

/** Who meets whom: of processes, of threads, of both. */
export const casts: readonly (readonly Where[])[] = mapped
  ? [
      ['process', 'process'],
      ['thread', 'thread'],
      ['process', 'thread'],
    ]
  : [['thread', 'thread']]

export function start<N extends keyof Bodies>(
  where: Where,
  name: N,
  ...args: Parameters<Bodies[N]>
): Party<Awaited<ReturnType<Bodies[N]>>> {
  return where === 'process' ? startProcess(name, args) : startThread(name, args)
}

function startProcess<R>(name: keyof Bodies, args: readonly unknown[]): Party<R> {
  const target = bodies[name] as (...args: never[]) => unknown
  const process = new Process({ target, args: args as never[] }).start()
  const ended = process.join()
  return {
    result: process.result as Promise<R>,
    ended,
    async kill() {
      process.kill()
      await ended
    },
  }
}

function startThread<R>(name: keyof Bodies, args: readonly unknown[]): Party<R> {
  const writer = new Writer()
  encode(args, writer, {
    carried: new Carried(false, true),
    encode() {
      throw new Error('a body takes handles and plain data')
    },
  })
  const bytes = writer.bytes.subarray(0, writer.pos)
  const workerData = { region: regionForThread(), name, bytes: new Uint8Array(bytes) }
  const worker = new Worker(new URL('./thread.js', import.meta.url), { workerData })
  const { threadId } = worker
  const ended = new Promise<void>((resolve) => {
    worker.once('exit', () => {
      buryThread(threadId)
      resolve()
    })
  })
  const result = new Promise<R>((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
    void ended.then(() => reject(new Error(`the thread of ${name} has ended without a result`)))
  })
  result.catch(() => {})
  return {
    result,
    ended,
    async kill() {
      await worker.terminate()
      await ended
    },
  }
}

/** Numbers from 0 to 1, the same for the same seed. */
export function random(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}
