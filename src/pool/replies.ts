/**
 * What a pool's worker says to its pool: the writing half of pool/protocol.ts in the worker. Whatever a task
 * returned or threw, something decodable leaves: a value that cannot travel becomes a SerializationError, an
 * error that cannot travel becomes the nearest error that can.
 */
import type * as Capture from '../closure/capture.ts'
import { writePlain } from '../closure/plain.ts'
import type { Template } from '../closure/unit.ts'
import { Carried } from '../codec/handles.ts'
import type { Writer } from '../codec/writer.ts'
import { inThread } from '../core/context.ts'
import { sendBytes, type Channel } from '../transport/channel.ts'
import { plainError } from '../worker/plain-error.ts'
import * as is from './protocol.ts'
import { Mixed } from './call.ts'
import type { Running } from './running.ts'

/** Now, or where code has to be loaded first, later: the task has ended with it. */
type Sent = Promise<void> | undefined

/** Half of closure/, for values that are not plain data: most workers never need it. */
let capture: typeof Capture | undefined

export class Replies {
  readonly #channel: Channel
  /** Whose classes are sent by id alone. */
  readonly #home: string
  readonly #templates = new Set<string>()

  constructor(channel: Channel, home: string) {
    this.#channel = channel
    this.#home = home
  }

  /** A record without content. */
  send(kind: number): void {
    this.#channel.open(kind)
    this.#channel.commit()
  }

  begun(seq: number): void {
    this.#number(is.BEGUN, seq)
  }

  skipped(seq: number): void {
    this.#number(is.SKIPPED, seq)
  }

  /** What the task returned. */
  result(task: Running, value: unknown): Sent {
    if (value instanceof Mixed) return this.#value(is.MIXED, task, [value.values, ...value.failures])
    return this.#value(is.RESULT, task, value)
  }

  /** What the task threw. */
  failure(task: Running, error: unknown): Sent {
    return this.#value(is.FAILURE, task, error)
  }

  /** What the initializer threw. */
  startFailed(error: unknown): Sent {
    return this.#value(is.START_FAILED, null, error)
  }

  /** An error outside of any task. At once: there is no time to load anything. */
  crashed(error: unknown): void {
    for (const value of [error, plainError(error)])
      try {
        if (writePlain(this.#open(is.CRASHED, null), value, 'the error')) return this.#channel.commit()
        this.#channel.abandon()
      } catch {
        this.#channel.abandon()
      }
  }

  /** Plain data is encoded straight into the channel. What is none, or is refused, is capture's. */
  #value(kind: number, task: Running | null, value: unknown): Sent {
    try {
      if (writePlain(this.#open(kind, task), value, '')) return this.#commit()
    } catch {
      // Capture says it again, and whose value it is.
    }
    this.#channel.abandon()
    if (capture !== undefined) return this.#captured(kind, task, value)
    return import('../closure/capture.ts').then((loaded) => {
      capture = loaded
      return this.#captured(kind, task, value)
    })
  }

  #captured(kind: number, task: Running | null, value: unknown): Sent {
    let record: Buffer
    let templates: readonly Template[] | null
    try {
      const writer = this.#open(kind, task)
      const start = writer.pos - (task === null ? 0 : is.resultHead)
      const carried = new Carried(false, inThread())
      const options = { what: about(kind, task), receiver: this.#home, carried }
      templates = capture!.captureInto(writer, value, options)
      carried.sendAhead(this.#channel.beside)
      if (templates === null) return this.#commit()
      record = Buffer.from(writer.bytes.subarray(start, writer.pos))
      this.#channel.abandon()
    } catch (refusal) {
      this.#channel.abandon()
      return this.#refused(kind, task, value, refusal)
    }
    for (const template of templates) this.#template(template)
    sendBytes(this.#channel, kind, record)
    return undefined
  }

  /** A result that cannot travel fails with that; an error that cannot is sent as the nearest that can. */
  #refused(kind: number, task: Running | null, value: unknown, refusal: unknown): Sent {
    if (kind === is.MIXED || (kind === is.RESULT && (task!.flags & is.EACH) !== 0)) {
      const parts = kind === is.RESULT ? [value] : (value as unknown[])
      return this.result(task!, this.#sort(task!, parts) ?? refuseAll(parts, refusal))
    }
    if (kind === is.RESULT) return this.failure(task!, refusal)
    writePlain(this.#open(kind, task), plainError(value), about(kind, task))
    return this.#commit()
  }

  /** An item whose value cannot travel fails with that, alone. Undefined where each can. */
  #sort(task: Running, [all, ...thrown]: unknown[]): Mixed | undefined {
    const receiver = this.#home
    const outcome = new Mixed([], [])
    let sorted = false
    const refusal = (value: unknown, what: string): unknown => {
      try {
        capture!.capture(value, { what, receiver, inside: inThread() })
        return undefined
      } catch (error) {
        sorted = true
        return error
      }
    }
    for (const [i, value] of (all as unknown[]).entries()) {
      const error = refusal(value, `the result of item ${i} of task ${task.id}`)
      outcome.values.push(error === undefined ? value : undefined)
      if (error !== undefined) outcome.failures.push([i, error])
    }
    for (const [i, error] of thrown as [number, unknown][])
      outcome.failures.push([i, refusal(error, 'an error') === undefined ? error : plainError(error)])
    return sorted ? outcome : undefined
  }

  #commit(): undefined {
    this.#channel.commit()
  }

  #open(kind: number, task: Running | null): Writer {
    const writer = this.#channel.open(kind)
    if (task === null) return writer
    writer.reserve(is.resultHead)
    writer.bytes.writeUInt32LE(task.seq, writer.pos)
    const us = (performance.now() - task.begun) * 1000
    writer.bytes.writeUInt32LE(Math.min(us, 0xffff_ffff) >>> 0, writer.pos + 4)
    writer.pos += is.resultHead
    return writer
  }

  #template(template: Template): void {
    if (this.#templates.has(template.id)) return
    this.#templates.add(template.id)
    sendBytes(this.#channel, is.TEMPLATE, template.bytes)
  }

  #number(kind: number, n: number): void {
    const writer = this.#channel.open(kind)
    writer.reserve(4)
    writer.pos = writer.bytes.writeUInt32LE(n, writer.pos)
    this.#channel.commit()
  }
}

/** Parts that can travel one by one, and not together: what they share cannot be divided. All fail. */
function refuseAll([all, ...thrown]: unknown[], refusal: unknown): Mixed {
  const errors = new Map(thrown as [number, unknown][])
  const { length } = all as unknown[]
  const failures = Array.from({ length }, (_, i): [number, unknown] => [
    i,
    errors.has(i) ? plainError(errors.get(i)) : refusal,
  ])
  return new Mixed(new Array<unknown>(length).fill(undefined), failures)
}

function about(kind: number, task: Running | null): string {
  if (task === null) return 'the error of the initializer'
  return `${kind === is.RESULT ? 'the result' : 'the error'} of task ${task.id}`
}
