/**
 * The reading half of a channel whose carrier brings bytes in pieces: delivers the records in them, and
 * keeps for later what was drawn within a turn. stream.ts and port.ts have one each; how a piece comes is
 * theirs.
 */
import { AsyncResource } from 'node:async_hooks'
import type { Receive } from './channel.ts'
import { RecordReader } from './records.ts'

export class Input {
  /** What came could not be read, and nothing is delivered any more. */
  garbled = false
  readonly #records: RecordReader
  readonly #fail: (error: Error) => void
  /** Arrived in this turn and not delivered yet. */
  readonly #drawn: Buffer[] = []

  /** `fail` is called with what is wrong with a piece. */
  constructor(receive: Receive, fail: (error: Error) => void) {
    this.#records = new RecordReader(receive)
    this.#fail = fail
  }

  /** Delivers `piece`, after what was drawn before it. */
  take(piece: Buffer): void {
    this.deliver()
    this.#take(piece)
  }

  /** Delivers `piece` when this turn is over. */
  draw(piece: Buffer): void {
    if (this.#drawn.length === 0) process.nextTick(this.deliver)
    this.#drawn.push(piece)
  }

  /** Whoever made this channel is whom what it delivers belongs to, not who happened to draw. */
  readonly deliver = AsyncResource.bind((): void => {
    if (this.#drawn.length > 0) for (const piece of this.#drawn.splice(0)) this.#take(piece)
  })

  /** Delivers nothing more. */
  stop(): void {
    this.#records.stop()
  }

  /** What is wrong with an input that ends here. */
  get torn(): Error | undefined {
    return this.#records.torn
  }

  #take(piece: Buffer): void {
    try {
      this.#records.take(piece)
    } catch (error) {
      this.garbled = true
      this.#fail(error instanceof Error ? error : new Error('a record was refused', { cause: error }))
    }
  }
}
