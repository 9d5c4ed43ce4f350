/**
 * Talking to a child until it has ended: all of the input in, all of the output out, both at once, so that
 * neither side can wait for the other. It goes on when a wait for it gives up, and loses nothing. Made by
 * communicate() and run(), once for each child.
 */
import type { Child } from './child.ts'
import { Moment } from './moment.ts'
import type { Output } from './output.ts'

/** What came from stdout and from stderr; null for what is no pipe. */
export interface Outputs {
  readonly stdout: string | Buffer | null
  readonly stderr: string | Buffer | null
}

export class Communication {
  /** The child has ended, and nobody holds its pipes open any more. */
  readonly done = new Moment()
  /** Its pipes alone: a grandchild may hold them beyond the child's end. */
  readonly drained = new Moment()
  readonly #stdout: Collected | null
  readonly #stderr: Collected | null

  constructor(child: Child, input: string | Uint8Array | undefined) {
    let open = 1
    const closed = (): void => {
      if (--open === 0) this.drained.happen()
    }
    const collect = (output: Output | null): Collected | null => {
      if (output === null) return null
      open++
      return new Collected(output, closed)
    }
    this.#stdout = collect(child.stdout)
    this.#stderr = collect(child.stderr)
    closed()
    this.drained.whenCome(() => child.ended.whenCome(() => this.done.happen()))
    // Without input its end is all that the child is told.
    if (input === undefined) child.stdin?.end()
    else child.stdin?.end(input)
  }

  /** As far as it has come. */
  outputs(): Outputs {
    return { stdout: this.#stdout?.value() ?? null, stderr: this.#stderr?.value() ?? null }
  }
}

/** All that comes from one output. */
class Collected {
  readonly #output: Output
  #chunks: (string | Buffer)[] = []

  constructor(output: Output, closed: () => void) {
    this.#output = output
    if (output.destroyed || output.readableEnded) {
      closed()
      return
    }
    output.on('data', (chunk: string | Buffer) => this.#chunks.push(chunk))
    output.once('close', closed)
  }

  value(): string | Buffer {
    const all =
      this.#output.readableEncoding === null ? Buffer.concat(this.#chunks as Buffer[]) : this.#chunks.join('')
    this.#chunks = [all]
    return all
  }
}
