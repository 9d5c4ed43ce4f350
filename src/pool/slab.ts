/**
 * Where encoded arguments wait for their worker: many small tasks share one buffer, which lives as long as
 * one of them does. Encoded at submit: later changes to the values are not seen, and bad input is an error at
 * once.
 */
import { captureArguments, type CaptureOptions, type Payload, type Template } from '../closure/capture.ts'
import { Carried } from '../codec/handles.ts'
import { Writer } from '../codec/writer.ts'
import { TOGETHER } from './protocol.ts'
import type { Arguments } from './task.ts'

const slabBytes = 64 * 1024
/** Past this a new buffer is begun, so that growing never copies much. */
const fullBytes = 48 * 1024

/** Itself the range of what was encoded last: a task copies it. */
export class Slab implements Arguments {
  bytes: Buffer
  start = 0
  end = 0
  templates: readonly Template[] | null = null
  flags = 0
  lent: Carried | null = null
  #writer = new Writer(slabBytes)
  #busy = false

  constructor() {
    this.bytes = this.#writer.bytes
  }

  /** What `fn` is called with. @throws {SerializationError} Nothing was kept then. */
  encode(args: readonly unknown[], options: CaptureOptions, fn: Payload): this {
    // A reducer of the user's may submit to this very pool: what that encodes goes elsewhere, handles too.
    const inner = this.#busy
    const about = inner ? { ...options, carried: new Carried(true, options.carried!.inside) } : options
    if (inner || this.#writer.pos > fullBytes) this.#writer = new Writer(slabBytes)
    const writer = this.#writer
    const start = writer.pos
    this.#busy = true
    try {
      const captured = captureArguments(writer, args, about, fn)
      this.templates = captured === null ? null : captured.templates
      this.flags = captured?.together === true ? TOGETHER : 0
      this.lent = about.carried!.take()
    } finally {
      this.#busy = inner
    }
    this.bytes = writer.bytes
    this.start = start
    this.end = writer.pos
    return this
  }
}
