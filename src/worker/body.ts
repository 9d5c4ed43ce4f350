/**
 * The worker's side of its start: reads the first record, takes on the identity in it, imports the role and
 * hands the channel over. The end of the control channel is the parent's end, and ends this process, or this
 * thread, at once. Knows no role.
 */
import { identity, selfName } from '../core/context.ts'
import { adoptRegion } from '../memory/region.ts'
import type { Channel, Receive } from '../transport/channel.ts'
import type { Ledger } from './handle.ts'
import { printError } from './print.ts'
import { kinds, readStart } from './protocol.ts'

/** What a role module exports. `start` gets the payload that the parent's `setup` wrote. */
export interface Role {
  start(channel: Channel, bytes: Buffer, start: number, end: number, ledger: Ledger): void
  receive: Receive
}

/** Begins the life of this worker over the channel that `connect` makes. */
export function begin(
  connect: (receive: Receive, onEnd: (error?: Error) => void) => Channel,
  ledger: Ledger,
): void {
  let receive: Receive = first
  const channel = connect(
    (kind, bytes, start, end) => {
      try {
        receive(kind, bytes, start, end)
      } catch (error) {
        fail(error)
      }
    },
    (error) => (error === undefined ? process.exit() : fail(error)),
  )

  function first(kind: number, bytes: Buffer, start: number, end: number): void {
    if (kind !== kinds.start) throw new Error(`the first record must be 'start', got kind ${kind}`)
    const { head, end: payload } = readStart(bytes, start)
    const { role: url, memory, ...self } = head
    Object.assign(identity, self)
    if (memory !== undefined) adoptRegion(memory)
    // What arrives before the role is there waits. A channel never reuses memory that it has handed out.
    const waiting: Parameters<Receive>[] = []
    receive = (...record) => waiting.push(record)
    import(url)
      .then((role: Role) => {
        receive = role.receive
        role.start(channel, bytes, payload, end, ledger)
        for (const record of waiting) role.receive(...record)
      })
      .catch(fail)
  }
}

/** A role that throws is out of step with its parent, which hears of it by the end of this worker. */
function fail(error: unknown): never {
  printError(`${selfName()} cannot go on`, error)
  process.exit(1)
}
