/**
 * What a child writes to one of its pipes, as its reader sees it: bytes, or text whose line ends are all \n,
 * however the chunks were cut. Fed by child.ts from the pipe's socket. Node empties and drops what nobody has
 * read when a child ends; what lies here stays until it is read or destroyed.
 */
import { pipeline, Transform, type Readable, type TransformCallback } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import type { Encoding } from './options.ts'

const nothing = (): void => {}

/** All bytes at once. */
export function decoded(bytes: Buffer, encoding: BufferEncoding): string {
  return withLineFeeds(bytes.toString(encoding))
}

function withLineFeeds(text: string): string {
  return text.includes('\r') ? text.replaceAll(/\r\n?/g, '\n') : text
}

export class Output extends Transform {
  readonly #decoder: StringDecoder | undefined
  /** A \r at the end of a chunk: with a \n at the start of the next it is one line end. */
  #held = ''

  constructor(encoding: Encoding) {
    super()
    this.on('error', nothing) // a pipe that breaks is one that ends
    if (encoding === undefined) return
    this.#decoder = new StringDecoder(encoding)
    this.setEncoding(encoding)
  }

  /** What comes from `source` comes out here; each is destroyed with the other. */
  feed(source: Readable): void {
    if (this.destroyed) source.destroy()
    else pipeline(source, this, nothing)
  }

  override _transform(chunk: Buffer, _encoding: string, done: TransformCallback): void {
    if (this.#decoder === undefined) return done(null, chunk)
    this.#write(this.#decoder.write(chunk), false)
    done()
  }

  override _flush(done: TransformCallback): void {
    if (this.#decoder !== undefined) this.#write(this.#decoder.end(), true)
    done()
  }

  #write(decoded: string, last: boolean): void {
    let text = this.#held + decoded
    this.#held = ''
    if (!last && text.endsWith('\r')) {
      this.#held = '\r'
      text = text.slice(0, -1)
    }
    // Named as the stream calls its encoding, text passes through as it is.
    if (text !== '') this.push(withLineFeeds(text), this.readableEncoding ?? undefined)
  }
}
