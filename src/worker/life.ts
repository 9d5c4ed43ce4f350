/**
 * One started process or thread as its parent sees it: from its start over the records of its outcome to its
 * end. Everything that waits on it settles here. A life never starts twice.
 */
import type { Payload } from '../closure/capture.ts'
import { Reviver } from '../closure/revive.ts'
import type { Writer } from '../codec/writer.ts'
import { ownFile } from '../core/bundle.ts'
import { log } from '../core/log.ts'
import { whileStanding } from '../memory/park.ts'
import type { Channel } from '../transport/channel.ts'
import type { Exit, StartWorker, WorkerHandle } from './handle.ts'
import { howEnded, lostError } from './lost.ts'
import { kinds, writePayload } from './protocol.ts'

let role: string | undefined

/**
 * Those who may not have opened yet what they were lent. Of a pipe's end that was lent to one that has ended,
 * nobody would know the end where this thread stands still.
 */
const unopened = new Set<Life>()

whileStanding(() => {
  for (const life of unopened) if (life.handle.hasOpened()) life.takeBack()
})

/** A promise and its two ends; by itself never an unhandled rejection. */
export interface Deferred<T> {
  readonly promise: Promise<T>
  resolve(value: T): void
  reject(error: unknown): void
}

export function defer<T>(): Deferred<T> {
  const deferred = {} as { -readonly [K in keyof Deferred<T>]: Deferred<T>[K] }
  deferred.promise = new Promise((resolve, reject) => Object.assign(deferred, { resolve, reject }))
  deferred.promise.catch(() => {})
  return deferred
}

export class Life {
  readonly handle: WorkerHandle
  /** Resolves when the worker has ended and all it sent was read. */
  readonly ended: Promise<Exit>

  readonly #lent: Payload['lent']
  readonly #result: Deferred<unknown>
  readonly #reviver = new Reviver()
  /** An outcome has arrived; its revival may still be going on. */
  #decided = false
  #waits = 0
  #over = false
  /** Told of the end. */
  readonly #watchers = new Set<() => void>()

  constructor(
    start: StartWorker,
    { name, daemon }: { name: string; daemon: boolean },
    payload: Payload,
    result: Deferred<unknown>,
  ) {
    this.#lent = payload.lent
    this.#result = result
    role ??= ownFile('./run.js', import.meta.url).href
    const setup = (writer: Writer, channel: Channel): void => {
      payload.lent.sendAhead(channel.beside)
      writePayload(writer, payload)
    }
    this.handle = start({ name, daemon, role, setup }, (kind, bytes, start, end) => {
      if (kind === kinds.opened) this.takeBack()
      else this.#receive(kind, bytes, start, end)
    })
    const { who } = this.handle
    log(`${who} started`)
    if (daemon) this.handle.unref()
    if (!payload.lent.empty) unopened.add(this)
    this.ended = new Promise((resolve) => {
      this.handle.onExit = (exit) => {
        log(`${who} ${howEnded(exit)}`)
        if (!this.#decided) result.reject(lostError(this.handle, exit, 'its target returned'))
        this.#over = true
        this.takeBack()
        resolve(exit)
        for (const watcher of this.#watchers) watcher()
      }
    })
  }

  /** What was lent for the start has been opened, or never will be. */
  takeBack(): void {
    unopened.delete(this)
    this.#lent.drop()
  }

  /** `ended` has resolved. */
  get over(): boolean {
    return this.#over
  }

  /** While somebody waits, even a daemon keeps the event loop alive. */
  async wait<T>(daemon: boolean, waiting: Promise<T>): Promise<T> {
    if (daemon) this.#stay()
    try {
      return await waiting
    } finally {
      if (daemon) this.#leave()
    }
  }

  /** The same without a promise: calls `ready` at the end; answers how to take that back. */
  watch(daemon: boolean, ready: () => void): () => void {
    const watcher = (): void => ready()
    this.#watchers.add(watcher)
    if (daemon) this.#stay()
    return () => {
      if (this.#watchers.delete(watcher) && daemon) this.#leave()
    }
  }

  #stay(): void {
    if (this.#waits++ === 0) this.handle.ref()
  }

  #leave(): void {
    if (--this.#waits === 0) this.handle.unref()
  }

  #receive(kind: number, bytes: Buffer, start: number, end: number): void {
    if (kind === kinds.template) return this.#reviver.addTemplate(Buffer.from(bytes.subarray(start, end)))
    if (this.#decided || (kind !== kinds.result && kind !== kinds.error)) return
    this.#decided = true
    const settle = kind === kinds.result ? this.#result.resolve : this.#result.reject
    if (start === end) return settle(undefined)
    try {
      const ready = this.#reviver.prepare(bytes, start, end)
      if (ready === undefined) return settle(this.#reviver.revive(bytes, start, end))
      const kept = Buffer.from(bytes.subarray(start, end))
      ready.then(() => settle(this.#reviver.revive(kept, 0, kept.length))).catch(this.#result.reject)
    } catch (error) {
      this.#result.reject(error) // it arrived, and is no value here: a module that only the child can import
    }
  }
}
