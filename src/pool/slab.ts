/**
 * Where encoded arguments wait for their worker: many small tasks share one buffer, which lives as long as
 * one of them does. Encoded at submit: later changes to the values are not seen, and bad input is an error at
 * once.
 */
import { captureInto, type CaptureOptions, type Template } from '../closure/capture.ts'
import { Writer } from '../codec/writer.ts'
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
  #writer = new Writer(slabBytes)
  #busy = false

  constructor() {
    this.bytes = this.#writer.bytes
  }

  /** @throws {SerializationError} Nothing was kept then. */
  encode(value: unknown, options: CaptureOptions): this {
    if (this.#busy || this.#writer.pos > fullBytes) this.#writer = new Writer(slabBytes)
    const writer = this.#writer
    const start = writer.pos
    // A reducer of the user's may submit to this very pool: what it encodes goes elsewhere.
    this.#busy = true
    try {
      this.templates = captureInto(writer, value, options)
    } finally {
      this.#busy = false
    }
    this.bytes = writer.bytes
    this.start = start
    this.end = writer.pos
    return this
  }
}
