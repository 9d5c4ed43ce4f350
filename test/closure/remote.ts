/**
 * Another process to send captures to, for the tests of this folder: what arrives there is `[fn, args]`; it
 * is called, and what it returns comes back the same way. Not a test itself.
 */
import { fork, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { capture, type CaptureOptions } from '#plait/closure/capture.js'
import { Reviver } from '#plait/closure/revive.js'
import { homeId } from '#plait/closure/tracker.js'

/** What crosses the channel, both ways. */
export interface Parcel {
  readonly templates: readonly Buffer[]
  readonly bytes: Buffer
}

export interface Request extends Parcel {
  readonly receiver: string
}

export interface Reply extends Parcel {
  readonly failed: boolean
}

/** Takes a parcel apart. */
export async function unpack(reviver: Reviver, { templates, bytes }: Parcel): Promise<unknown> {
  for (const template of templates) reviver.addTemplate(Buffer.from(template))
  const whole = Buffer.from(bytes)
  await reviver.prepare(whole, 0, whole.length)
  return reviver.revive(whole, 0, whole.length)
}

export function pack(value: unknown, options: CaptureOptions): Parcel {
  const { templates, bytes } = capture(value, options)
  return { templates: templates.map((template) => template.bytes), bytes }
}

/** One child process. Use with `using`. */
export class Remote {
  readonly #child: ChildProcess
  readonly #reviver = new Reviver()
  readonly #options: Partial<CaptureOptions>

  constructor(options: Partial<CaptureOptions> = {}, execArgv: readonly string[] = []) {
    this.#options = options
    this.#child = fork(fileURLToPath(new URL('remote-child.js', import.meta.url)), {
      serialization: 'advanced',
      execArgv: [...execArgv],
    })
  }

  /** Captures now, calls there. */
  async call<A extends readonly unknown[], R>(fn: (...args: A) => R, ...args: A): Promise<Awaited<R>> {
    const parcel = pack([fn, args], { what: 'the call', ...this.#options })
    const reply = new Promise<Reply>((resolve, reject) => {
      this.#child.once('message', (message) => resolve(message as unknown as Reply))
      this.#child.once('exit', (code, signal) => reject(new Error(`the remote ended: ${code ?? signal}`)))
    })
    this.#child.send({ ...parcel, receiver: homeId } satisfies Request)
    const { failed, ...back } = await reply
    this.#child.removeAllListeners('exit')
    const value = await unpack(this.#reviver, back)
    if (failed) throw value
    return value as Awaited<R>
  }

  [Symbol.dispose](): void {
    this.#child.kill('SIGKILL')
  }
}
