/**
 * A channel over a message port: what joins a thread and the thread that started it. Both ends use this one
 * class. One message for all that is committed in a tick; null is the end. What was posted is with the other
 * thread, whatever becomes of this one, and a port takes any amount: so it is never stuck.
 */
import type { MessagePort } from 'node:worker_threads'
import type { Channel, Receive } from './channel.ts'
import { Input } from './input.ts'
import { Output } from './output.ts'

/** Below this a message is copied faster than its memory changes hands. */
const fewBytes = 1024

export class PortChannel extends Output implements Channel {
  readonly stuck = false
  readonly #port: MessagePort
  readonly #input: Input
  readonly #onEnd: (error?: Error) => void
  #ended = false
  #closed = false

  constructor(port: MessagePort, receive: Receive, onEnd: (error?: Error) => void) {
    super()
    this.#port = port
    this.#input = new Input(receive, (error) => this.#end(error))
    this.#onEnd = onEnd
    port.on('message', (piece: Uint8Array | null) => {
      if (piece === null) this.#finish()
      else this.#input.take(bufferOf(piece))
    })
    port.on('messageerror', (error) => this.#end(error))
    port.on('close', () => this.#finish())
  }

  get garbled(): boolean {
    return this.#input.garbled
  }

  get buffered(): number {
    return this.written
  }

  flush(): void {
    if (this.waiting === 0) return
    // A copy of its own: a message takes the whole memory that a view lies in.
    const piece = new Uint8Array(this.take())
    this.shrink()
    this.#port.postMessage(piece, piece.length < fewBytes ? [] : [piece.buffer])
  }

  close(): void {
    this.flush()
    this.#port.postMessage(null)
  }

  destroy(): void {
    this.#input.stop()
    this.#closed = true
    this.#port.close()
  }

  ref(): void {
    this.#port.ref()
  }

  unref(): void {
    this.#port.unref()
  }

  draw(): void {
    const { receiveMessageOnPort } = process.getBuiltinModule('node:worker_threads')
    // Node crashes where a port is asked that was closed from here and is not gone yet.
    while (!this.#closed) {
      const { message: piece } = (receiveMessageOnPort(this.#port) ?? {}) as { message?: Uint8Array | null }
      if (piece === undefined) return
      if (piece === null) return process.nextTick(this.#finish)
      this.#input.draw(bufferOf(piece))
    }
  }

  readonly #finish = (): void => {
    this.#input.deliver()
    this.#end(undefined)
  }

  #end(error: Error | undefined): void {
    if (this.#ended) return
    this.#ended = true
    this.destroy()
    this.#onEnd(error)
  }
}

function bufferOf(piece: Uint8Array): Buffer {
  return Buffer.from(piece.buffer, piece.byteOffset, piece.length)
}
