/**
 * What a pool says to one of its workers: the writing half of pool/protocol.ts in the parent, the counterpart
 * of replies.ts. It remembers which templates the worker has; whether and when to send is decided by
 * PoolWorker.
 */
import type { Payload } from '../closure/capture.ts'
import type { Template } from '../closure/unit.ts'
import type { Writer } from '../codec/writer.ts'
import { sendBytes, type Channel } from '../transport/channel.ts'
import type { Image } from './images.ts'
import * as is from './protocol.ts'
import type { Task } from './task.ts'

const nothing = Buffer.alloc(0)

export class Orders {
  readonly #channel: Channel
  readonly #templates = new Set<string>()

  constructor(channel: Channel) {
    this.#channel = channel
  }

  initialize(payload: Payload): void {
    payload.lent.sendAhead(this.#channel.beside)
    this.#sendTemplates(payload.templates)
    sendBytes(this.#channel, is.INIT, payload.bytes)
  }

  image({ id, payload }: Image): void {
    payload.lent.sendAhead(this.#channel.beside)
    this.#sendTemplates(payload.templates)
    this.#record(is.IMAGE, 4, (writer) => {
      writer.pos = writer.bytes.writeUInt32LE(id, writer.pos)
      writer.append(payload.bytes)
    })
  }

  task(task: Task): void {
    if (task.templates !== null) this.#sendTemplates(task.templates)
    task.lent?.sendAhead(this.#channel.beside)
    const size = task.end - task.start
    const writer = this.#channel.open(is.TASK)
    writer.reserve(is.taskHead + size)
    const { bytes } = writer
    const at = writer.pos
    bytes.writeUInt32LE(task.seq, at)
    bytes.writeUInt32LE(task.id >>> 0, at + 4)
    bytes.writeUInt32LE(task.image.id, at + 8)
    bytes.writeUInt16LE(task.attempt & 0xffff, at + 12)
    bytes.writeUInt16LE(task.flags, at + 14)
    copy(task, bytes, at + is.taskHead)
    writer.pos = at + is.taskHead + size
    this.#channel.commit()
  }

  /** `why` is ABORTED or TIMED_OUT. */
  cancel(seq: number, why: number): void {
    this.#record(is.CANCEL, 5, (writer) => {
      writer.bytes.writeUInt32LE(seq, writer.pos)
      writer.bytes[writer.pos + 4] = why
      writer.pos += 5
    })
  }

  forget(image: Image): void {
    this.#record(is.FORGET, 4, (writer) => {
      writer.pos = writer.bytes.writeUInt32LE(image.id, writer.pos)
    })
  }

  exit(): void {
    sendBytes(this.#channel, is.EXIT, nothing)
  }

  #sendTemplates(templates: readonly Template[]): void {
    for (const { id, bytes } of templates) {
      if (this.#templates.has(id)) continue
      this.#templates.add(id)
      sendBytes(this.#channel, is.TEMPLATE, bytes)
    }
  }

  /** `write` finds room for `size` bytes. */
  #record(kind: number, size: number, write: (writer: Writer) => void): void {
    const writer = this.#channel.open(kind)
    writer.reserve(size)
    write(writer)
    this.#channel.commit()
  }
}

/** A few bytes are moved faster one by one than by a call into native code. */
function copy({ bytes, start, end }: Task, to: Buffer, at: number): void {
  if (end - start > 64) bytes.copy(to, at, start, end)
  else for (let i = start, k = at; i < end; i++, k++) to[k] = bytes[i]!
}
