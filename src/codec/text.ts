/**
 * Strings to bytes and back. Three ways, by what the string holds: latin1 (one byte a character), UTF-8
 * (mostly ASCII), UTF-16 (mostly beyond it, or with lone surrogates, which UTF-8 would lose). Called by
 * encoder and decoder; knows no other value.
 */
import type { Writer } from './writer.ts'
import { LATIN1, SHORT_TEXT, TEXT8, UTF16, UTF8 } from './tags.ts'

/** The methods behind Buffer.toString: a third of its cost on short strings. */
interface RawBuffer {
  latin1Slice(start: number, end: number): string
  utf8Slice(start: number, end: number): string
  ucs2Slice(start: number, end: number): string
}

/** Writes a string with its tag. */
export function writeText(writer: Writer, text: string): void {
  const length = text.length
  if (length >= 64) return writeLong(writer, text)
  if (writer.pos + 66 > writer.bytes.length) writer.reserve(66)
  const bytes = writer.bytes
  let pos = writer.pos
  if (length < 32) bytes[pos++] = SHORT_TEXT | length
  else {
    bytes[pos++] = TEXT8
    bytes[pos++] = length
  }
  for (let i = 0; i < length; i++) {
    const char = text.charCodeAt(i)
    if (char > 0xff) return writeLong(writer, text)
    bytes[pos++] = char
  }
  writer.pos = pos
}

function writeLong(writer: Writer, text: string): void {
  if (mostlyWide(text)) return writeUtf16(writer, text)
  // Three bytes a character is the most; for a large string counting is cheaper than the room.
  const most = text.length < 65_536 ? text.length * 3 : Buffer.byteLength(text)
  writer.reserve(most + 5)
  const start = writer.pos
  const written = writer.bytes.write(text, start + 5, 'utf8')
  if (written !== text.length && !isWellFormed(text)) return writeUtf16(writer, text)
  writer.bytes[start] = written === text.length ? LATIN1 : UTF8
  writer.bytes.writeUInt32LE(written, start + 1)
  writer.pos = start + 5 + written
}

function writeUtf16(writer: Writer, text: string): void {
  const size = text.length * 2
  writer.reserve(size + 5)
  writer.bytes[writer.pos] = UTF16
  writer.bytes.writeUInt32LE(size, writer.pos + 1)
  writer.bytes.write(text, writer.pos + 5, 'utf16le')
  writer.pos += size + 5
}

/** A look at 16 places: where more than a few need two bytes in memory, UTF-16 is a plain copy. */
function mostlyWide(text: string): boolean {
  const step = Math.max(1, text.length >> 4)
  let wide = 0
  for (let i = 0; i < text.length; i += step) if (text.charCodeAt(i) > 0xff) wide++
  return wide > 4
}

/** String.prototype.isWellFormed is in every Node that plait runs on, and not yet in the types of ES2023. */
function isWellFormed(text: string): boolean {
  return (text as unknown as { isWellFormed(): boolean }).isWellFormed()
}

/** Short strings repeat: names, kinds, keys of maps. The last ones seen, by a hash of their bytes. */
const recent: string[] = new Array<string>(1024).fill('')

/** Reads `length` latin1 bytes at `pos`. */
export function readLatin1(bytes: Buffer, pos: number, length: number): string {
  if (length > 24) return latin1(bytes, pos, length)
  let hash = length
  for (let i = pos, end = pos + length; i < end; i++) hash = (Math.imul(hash, 31) + bytes[i]!) | 0
  const place = (hash ^ (hash >>> 10)) & 1023
  const candidate = recent[place]!
  if (candidate.length === length && same(candidate, bytes, pos)) return candidate
  const text = length < 5 ? fewChars(bytes, pos, length) : latin1(bytes, pos, length)
  recent[place] = text
  return text
}

function latin1(bytes: Buffer, pos: number, length: number): string {
  return (bytes as unknown as RawBuffer).latin1Slice(pos, pos + length)
}

const { fromCharCode } = String

/** Up to four characters: a quarter of the price of a call into the Buffer's own. */
function fewChars(bytes: Buffer, pos: number, length: number): string {
  if (length === 1) return fromCharCode(bytes[pos]!)
  if (length === 2) return fromCharCode(bytes[pos]!, bytes[pos + 1]!)
  if (length === 3) return fromCharCode(bytes[pos]!, bytes[pos + 1]!, bytes[pos + 2]!)
  return length === 0 ? '' : fromCharCode(bytes[pos]!, bytes[pos + 1]!, bytes[pos + 2]!, bytes[pos + 3]!)
}

function same(text: string, bytes: Buffer, pos: number): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) !== bytes[pos + i]) return false
  return true
}

/** Reads `size` bytes of UTF-8 at `pos`. */
export function readUtf8(bytes: Buffer, pos: number, size: number): string {
  return (bytes as unknown as RawBuffer).utf8Slice(pos, pos + size)
}

/** Reads `size` bytes of UTF-16 at `pos`. */
export function readUtf16(bytes: Buffer, pos: number, size: number): string {
  return (bytes as unknown as RawBuffer).ucs2Slice(pos, pos + size)
}
