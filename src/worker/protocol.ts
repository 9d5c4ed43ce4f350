/**
 * The records between a parent and a child process, for both sides. The first record to a child is always
 * `start`; what follows belongs to the role. Kinds below 16 are this floor's; roles of higher floors take
 * theirs from there on.
 */
import type { Payload } from '../closure/capture.ts'
import type { Writer } from '../codec/writer.ts'
import type { Identity } from '../core/context.ts'
import type { RegionOrigin } from '../memory/region.ts'

export const kinds = {
  /** To the child, once and first: the head below, then the role's own payload. */
  start: 1,
  /** To the parent: code that a following result or error needs. */
  template: 2,
  /** To the parent: what target returned. */
  result: 3,
  /** To the parent: what ended target, or the whole child. */
  error: 4,
  /** To the parent: the handles in `start` are open here. */
  opened: 5,
} as const

/** Who the child is, and the module that tells it what to do. */
export interface StartHead extends Identity {
  /** URL of a module that is a Role. */
  role: string
  /** How it comes to the memory of the whole program. A thread is told beside its records. */
  memory?: RegionOrigin
}

/** JSON here: read once per process, before the codec is needed. */
export function writeStart(writer: Writer, head: StartHead): void {
  const text = JSON.stringify(head)
  writer.reserve(4 + 3 * text.length)
  const length = writer.bytes.write(text, writer.pos + 4)
  writer.bytes.writeUInt32LE(length, writer.pos)
  writer.pos += 4 + length
}

/** The way back of writeStart; `end` is where the role's payload begins. */
export function readStart(bytes: Buffer, start: number): { head: StartHead; end: number } {
  const end = start + 4 + bytes.readUInt32LE(start)
  return { head: JSON.parse(bytes.toString('utf8', start + 4, end)) as StartHead, end }
}

/** The payload of a Process's start: the templates, each with its length, then the captured value. */
export function writePayload(writer: Writer, payload: Payload): void {
  const { templates, bytes } = payload
  writer.reserve(4)
  writer.pos = writer.bytes.writeUInt32LE(templates.length, writer.pos)
  for (const template of templates) {
    writer.reserve(4)
    writer.pos = writer.bytes.writeUInt32LE(template.bytes.length, writer.pos)
    writer.append(template.bytes)
  }
  writer.append(bytes)
}

/** The way back of writePayload: hands over the templates, returns where the captured value begins. */
export function readTemplates(bytes: Buffer, start: number, add: (template: Buffer) => void): number {
  let at = start + 4
  for (let left = bytes.readUInt32LE(start); left > 0; left--) {
    const end = at + 4 + bytes.readUInt32LE(at)
    add(bytes.subarray(at + 4, end))
    at = end
  }
  return at
}

/** What a thread is sent over its port for stops: the reason, captured. */
export interface StopMessage {
  readonly templates: readonly Uint8Array[]
  readonly bytes: Uint8Array
}
