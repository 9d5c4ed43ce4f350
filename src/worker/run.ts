/**
 * The role of a Process or a Thread: revives the target, calls it once, sends the outcome, and lets this
 * worker end as a Node program ends. Runs in the worker only, and in no pool.
 */
import { Reviver } from '../closure/revive.ts'
import { handlesRead } from '../codec/handles.ts'
import { currentThreadSignal, inThread, selfName, whileImporting } from '../core/context.ts'
import { WorkerLostError } from '../core/errors.ts'
import { sayOpened } from '../memory/participants.ts'
import { openedRegion } from '../memory/region.ts'
import type { Channel } from '../transport/channel.ts'
import { sendError, sendResult } from './outcome.ts'
import { printUncaught } from './print.ts'
import { kinds, readTemplates } from './protocol.ts'
import { self, type Work } from './self.ts'
import { ownSlot, selfWho } from './threads.ts'

let channel: Channel
let home: string | undefined
let settled = false

export function start(control: Channel, bytes: Buffer, start: number, end: number): void {
  channel = control
  process.on('uncaughtException', (error) => {
    if (process.listenerCount('uncaughtException') === 1) void fail(error)
  })
  process.on('beforeExit', stall) // again and again, where it stays
  control.unref() // from here on the target alone decides how long this lives
  void run(bytes, start, end).then(succeed, fail)
}

/** A parent has nothing more to say. */
export function receive(): void {}

async function run(bytes: Buffer, start: number, end: number): Promise<unknown> {
  const reviver = new Reviver()
  const body = readTemplates(bytes, start, (template) => reviver.addTemplate(template))
  await whileImporting(reviver.prepare(bytes, body, end))
  const work = reviver.revive(bytes, body, end) as Work
  home = work.home
  if (handlesRead() > 0) {
    if (inThread()) ownSlot().sayOpened()
    else if (openedRegion() !== undefined) sayOpened()
    channel.open(kinds.opened)
    channel.commit()
    channel.flush()
  }
  if (work.this !== undefined) {
    self.work = work
    return work.this.run()
  }
  const { target, args } = work // called as a function: `this` is undefined in it
  return target?.(...args)
}

async function succeed(value: unknown): Promise<void> {
  settled = true
  try {
    await sendResult(channel, value, home)
    channel.flush()
  } catch (error) {
    await fail(error)
  }
}

/**
 * As an uncaught error ends a Node program: printed, exit code 1, whatever else is going on. A thread that
 * did no more than stop when it was asked to says nothing.
 */
async function fail(error: unknown): Promise<void> {
  settled = true
  try {
    if (!inThread() || !isStop(error)) printUncaught(error)
    await sendError(channel, error, home)
  } catch {
    process.exit(1) // the program has broken what is needed to say more: the parent sees a lost process
  }
  channel.flush()
  if (channel.buffered === 0) process.exit(1)
  channel.onDrain = () => process.exit(1)
}

/** The reason for which this thread was asked to stop, or what Node makes of it. */
function isStop(error: unknown): boolean {
  const signal = currentThreadSignal()
  if (signal?.aborted !== true) return false
  const { reason } = signal
  return error === reason || (error instanceof Error && error.name === 'AbortError' && error.cause === reason)
}

/** The event loop is empty: what target still waits for can never come, but a stop. */
function stall(): void {
  if (settled || self.waitsForStop()) return
  const { pid } = process
  const message =
    `${selfWho()} ended before its target returned: ` +
    'the target waits for a promise, and nothing is left that could settle it'
  void fail(new WorkerLostError(message, { pid, exitcode: 1, signal: null, worker: selfName() }))
}
