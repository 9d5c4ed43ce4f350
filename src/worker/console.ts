/**
 * The console of a thread. Node passes on what a thread prints as messages to the main thread, which shows
 * them when its event loop turns; here it is written at once, whatever the main thread does. Used by
 * thread-body.ts.
 */
import { writeSync } from 'node:fs'
import type { Writable } from 'node:stream'
import { threadFutex } from '../memory/atomics.ts'

/** Milliseconds before a full pipe is tried again. */
const pause = 2

/** From now on what is written to `stream` goes to `fd`, before write() returns. */
export function printDirectly(stream: Writable, fd: 1 | 2): void {
  stream._write = (chunk: Buffer | string, encoding, done) => {
    done(writeAll(fd, typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk))
  }
  stream._writev = (chunks, done) => {
    const pieces = (chunks as { chunk: Buffer | string; encoding: BufferEncoding }[]).map(
      ({ chunk, encoding }) => (typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk),
    )
    done(writeAll(fd, Buffer.concat(pieces)))
  }
}

/** Waits where a pipe is full. What went wrong; nothing where it was written, or where nobody reads. */
function writeAll(fd: number, bytes: Buffer): Error | null {
  for (let at = 0; at < bytes.length;)
    try {
      at += writeSync(fd, bytes, at)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'EPIPE') return null
      if (code !== 'EAGAIN') return error as Error
      threadFutex.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pause)
    }
  return null
}
