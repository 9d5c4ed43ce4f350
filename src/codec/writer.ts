/**
 * A growing output buffer: bytes and a position. Whoever sends (a channel, capture, a test) owns one and
 * hands it to the encoder, which writes from `pos` on. It never shrinks and never writes before `pos` by
 * itself.
 */
export class Writer {
  /** Where the bytes lie; replaced by a larger one when room runs out, so never keep it across a write. */
  bytes: Buffer
  /** The end of what is written. */
  pos = 0

  /** Writes into the given buffer, or into a new one of the given size. */
  constructor(bytes: Buffer | number = 1024) {
    this.bytes = typeof bytes === 'number' ? Buffer.allocUnsafeSlow(bytes) : bytes
  }

  /** Makes room for `n` more bytes from `pos` on; what is written up to `pos` is kept. */
  reserve(n: number): void {
    const needed = this.pos + n
    if (needed <= this.bytes.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.bytes.length * 2, 256))
    this.bytes.copy(larger, 0, 0, this.pos)
    this.bytes = larger
  }

  append(bytes: Uint8Array): void {
    this.reserve(bytes.length)
    this.bytes.set(bytes, this.pos)
    this.pos += bytes.length
  }
}
