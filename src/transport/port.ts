/**
 * A channel over a message port: what joins a thread and the thread that started it. Both ends use this one
 * class. One message for all that is committed in a tick; null is the end. What was posted is with the other
 * thread, whatever becomes of this one, and a port takes any amount: so it is never stuck.
 */
import type { MessagePort } from 'node:worker_threads'
import { arrive, leave, type Numbered, onMissing } from '../codec/shared-buffers.ts'
import type { Channel, Receive, Way } from './channel.ts'
import { Input } from './input.ts'
import { Output } from './output.ts'

/** What comes beside the records: buffers, and the numbers of those that are done with. */
interface Aside {
  readonly buffers: readonly Numbered[]
  readonly done: readonly number[]
}

/** A record out of the order of the others. */
interface Handed {
  readonly record: Uint8Array
}

type Message = Uint8Array | Aside | Handed | null

/** Below this a message is copied faster than its memory changes hands. */
const fewBytes = 1024

export class PortChannel extends Output implements Channel {
  readonly stuck = false
  readonly beside: Way = {
    hand: (record) => this.#port.postMessage({ record } satisfies Handed, [record.buffer as ArrayBuffer]),
    handed: () => {
      if (this.#handed.length === 0) this.draw()
      return this.#handed.shift()
    },
    attach: (buffers) => this.#port.postMessage({ buffers, done: [] } satisfies Aside),
    detach: (done) => this.#port.postMessage({ buffers: [], done } satisfies Aside),
  }
  readonly #port: MessagePort
  readonly #input: Input
  readonly #onEnd: (error?: Error) => void
  readonly #handed: Buffer[] = []
  readonly #deafen: () => void
  #ended = false
  #closed = false

  constructor(port: MessagePort, receive: Receive, onEnd: (error?: Error) => void) {
    super()
    this.#port = port
    this.#input = new Input(receive, (error) => this.#end(error))
    this.#onEnd = onEnd
    port.on('message', (message: Message) => {
      if (message === null) this.#finish()
      else if (message instanceof Uint8Array) this.#input.take(bytesOf(message))
      else this.#takeAside(message)
    })
    port.on('messageerror', (error) => this.#end(error))
    port.on('close', () => this.#finish())
    this.#deafen = onMissing(() => this.draw())
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
    this.#deafen()
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
      const { message } = (receiveMessageOnPort(this.#port) ?? {}) as { message?: Message }
      if (message === undefined) return
      if (message === null) return process.nextTick(this.#finish)
      if (message instanceof Uint8Array) this.#input.draw(bytesOf(message))
      else this.#takeAside(message)
    }
  }

  #takeAside(message: Aside | Handed): void {
    if ('record' in message) this.#handed.push(bytesOf(message.record))
    else {
      arrive(message.buffers)
      leave(message.done)
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

function bytesOf(piece: Uint8Array): Buffer {
  return Buffer.from(piece.buffer, piece.byteOffset, piece.length)
}
