/**
 * Values to messages and back. A message is complete in itself: code goes with it, and whoever takes it needs
 * nothing that came before. Most are plain data, encoded into one buffer that all puts of this thread share;
 * what holds functions or classes is captured, for which half of closure/ is loaded at the first one.
 */
import type * as Closure from '../closure/open.ts'
import type { Template } from '../closure/unit.ts'
import { writePlain } from '../closure/plain.ts'
import { Reviver } from '../closure/revive.ts'
import { Writer } from '../codec/writer.ts'
import { loadRoom } from '../core/bundle.ts'
import { capacityOf } from '../memory/heap.ts'
import { Cargo, copyIn, entrust, settle } from '../memory/leases.ts'
import { region } from '../memory/region.ts'
import type { Message } from './fifo.ts'
import { BIG, CAPTURED, recordWords } from './layout.ts'

/** Longer payloads get a block of their own. */
const longest = 16 * 1024
/** The shared buffer does not stay larger than this. */
const mostScratch = 2 ** 20

/** A message on its way out. Its bytes are valid until the next one is packed, unless `keep` was called. */
export class Outgoing implements Message {
  bytes: Uint8Array = new Uint8Array(0)
  length = 0
  flags = 0
  shares: readonly number[] = []
  blocks: readonly number[] = []
  #cargo = new Cargo()

  /** Encodes the value. Throws a SerializationError where it cannot travel; then nothing is left of it. */
  pack(value: unknown, what: string): this {
    const cargo = this.#cargo
    const writer = takeScratch()
    try {
      this.flags = 0
      if (!writePlain(writer, value, what, cargo)) {
        writeCaptured(writer, value, what, cargo)
        this.flags = CAPTURED
      }
      this.bytes = writer.bytes
      this.length = writer.pos
      if (writer.pos > longest) {
        cargo.blocks.unshift(copyIn(writer.bytes.subarray(0, writer.pos)))
        this.flags |= BIG
      }
    } catch (error) {
      cargo.drop()
      throw error
    } finally {
      giveScratch(writer)
    }
    this.shares = cargo.shares
    this.blocks = cargo.blocks
    return this
  }

  /** What it will take of the memory. */
  get weight(): number {
    const inside = (this.flags & BIG) === 0 ? this.length : 0
    const own = 4 * (recordWords + this.shares.length + this.blocks.length) + inside
    return this.blocks.reduce((sum, block) => sum + capacityOf(block), own)
  }

  /** It has to wait: its bytes are its own from here on. */
  keep(): void {
    // Not `slice`, which is a view where it is a Buffer's.
    if ((this.flags & BIG) === 0) this.bytes = new Uint8Array(this.bytes.subarray(0, this.length))
  }

  /** Before it is put. */
  entrust(): void {
    for (const block of this.blocks) entrust(block)
  }

  /** It was put. */
  sent(): void {
    this.#cargo.clear()
  }

  /** It will not be put. */
  drop(): void {
    this.#cargo.drop()
  }
}

/** A message as it was taken. */
export interface Incoming {
  readonly bytes: Buffer
  readonly length: number
  readonly flags: number
  readonly blocks: readonly number[]
}

/** A message that lies where it lay, and may be taken by others. */
interface Peeked extends Incoming {
  readonly sequence: number
}

/** Where it lies: is the message with this number still the first? */
interface Source {
  isFirst(sequence: number): boolean
}

const reviver = new Reviver()

/**
 * What has to be imported before `unpack` of a message that was only looked at; undefined where nothing has,
 * or where somebody has taken it by now. Rejects where that fails.
 */
export function prepare(message: Peeked, from: Source): Promise<void> | undefined {
  if ((message.flags & CAPTURED) === 0) return undefined
  let bytes = payloadOf(message)
  if ((message.flags & BIG) !== 0) {
    // Whoever takes it frees its block, which may be another's already: copied first, and believed where the
    // message is still there after that.
    bytes = Buffer.from(bytes)
    if (!from.isFirst(message.sequence)) return undefined
  }
  try {
    return reviver.prepare(bytes, readTemplates(bytes), bytes.length)
  } catch (error) {
    return Promise.reject(error)
  }
}

/** The value. */
export function unpack(message: Incoming): unknown {
  const { blocks, flags } = message
  try {
    if (blocks.length === 0 && flags === 0) return reviver.revive(message.bytes, 0, message.length)
    const bytes = payloadOf(message)
    const start = (flags & CAPTURED) === 0 ? 0 : readTemplates(bytes)
    if (start > 0) reviver.prepare(bytes, start, bytes.length)?.catch(() => {})
    return reviver.revive(bytes, start, bytes.length)
  } finally {
    blocks.forEach(settle)
    if (message.bytes.length === bufferBytes) buffer = message.bytes
  }
}

function payloadOf({ bytes, length, flags, blocks }: Incoming): Buffer {
  if ((flags & BIG) === 0) return bytes.subarray(0, length)
  const { buffer, byteOffset } = region().slice(blocks[0]!, length)
  return Buffer.from(buffer as ArrayBuffer, byteOffset, length)
}

// ── what is captured: u32 count, (u32 length, id, u32 length, template) each, payload ──

let closure: typeof Closure | undefined

function writeCaptured(writer: Writer, value: unknown, what: string, carried: Cargo): void {
  closure ??= loadRoom('closure') as typeof Closure
  let { templates, bytes } = captureFunction(value, what)
  if (bytes === undefined) {
    const payload = new Writer(1024)
    templates = closure.captureInto(payload, value, { what, carried }) ?? []
    bytes = payload.bytes.subarray(0, payload.pos)
  }
  writer.pos = 0
  writer.reserve(4)
  writer.pos = writer.bytes.writeUInt32LE(templates.length, 0)
  for (const { id, bytes: code } of templates) {
    append(writer, Buffer.from(id, 'latin1'))
    append(writer, code)
  }
  writer.reserve(bytes.length)
  writer.pos += bytes.copy(writer.bytes, writer.pos)
}

/** A function may be known, with nothing to be captured anew; not where it has handles, which are given. */
function captureFunction(value: unknown, what: string): { templates: readonly Template[]; bytes?: Buffer } {
  if (typeof value !== 'function') return { templates: [] }
  const { lent, templates, bytes } = closure!.capture(value, { what, inside: true })
  if (lent.empty) return { templates, bytes }
  lent.drop()
  return { templates: [] }
}

function append(writer: Writer, bytes: Buffer): void {
  writer.reserve(4 + bytes.length)
  writer.pos = writer.bytes.writeUInt32LE(bytes.length, writer.pos)
  writer.pos += bytes.copy(writer.bytes, writer.pos)
}

/** Takes in the templates that are new here; where the payload begins. */
function readTemplates(bytes: Buffer): number {
  let at = 4
  for (let left = bytes.readUInt32LE(0); left > 0; left--) {
    const name = at + 4 + bytes.readUInt32LE(at)
    const id = bytes.toString('latin1', at + 4, name)
    const end = name + 4 + bytes.readUInt32LE(name)
    if (!knownTemplates.has(id)) reviver.addTemplate(bytes.subarray(name + 4, end))
    knownTemplates.add(id)
    at = end
  }
  return at
}

const knownTemplates = new Set<string>()

// ── what all puts share ──

let spare: Outgoing | undefined = new Outgoing()

/** A message for one put; `giveOutgoing` takes it back. */
export function takeOutgoing(): Outgoing {
  const outgoing = spare ?? new Outgoing()
  spare = undefined
  return outgoing
}

export function giveOutgoing(outgoing: Outgoing): void {
  spare = outgoing
}

let scratch: Writer | undefined = new Writer(4096)

/** A reducer may put while its value is packed: then it gets another one. */
function takeScratch(): Writer {
  const writer = scratch ?? new Writer(1024)
  scratch = undefined
  writer.pos = 0
  return writer
}

function giveScratch(writer: Writer): void {
  scratch = writer.bytes.length > mostScratch ? new Writer(4096) : writer
}

const bufferBytes = longest + 8
let buffer: Buffer | undefined = Buffer.allocUnsafeSlow(bufferBytes)

/** Where a message is copied to while it is read; `unpack` takes it back. */
export function takeBuffer(length: number): Buffer {
  const taken = buffer
  if (taken === undefined || length > bufferBytes) return Buffer.allocUnsafe(length)
  buffer = undefined
  return taken
}
