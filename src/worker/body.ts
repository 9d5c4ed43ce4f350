/**
 * The child's side of a worker: reads the first record, takes on the identity in it, imports the role and
 * hands the channel over. The end of the control stream is the parent's end, and ends this process at once.
 * Knows no role.
 */
import type { Socket } from 'node:net'
import { identity } from '../core/context.ts'
import { adoptRegion } from '../memory/region.ts'
import { Channel, type Receive } from '../transport/stream.ts'
import { printError } from './print.ts'
import { kinds, readStart } from './protocol.ts'

/** What a role module exports. `start` gets the payload that the parent's `setup` wrote. */
export interface Role {
  start(channel: Channel, bytes: Buffer, start: number, end: number): void
  receive: Receive
}

/** Begins the life of this process over `socket`. */
export function begin(socket: Socket): void {
  let receive: Receive = first
  const channel = new Channel(
    socket,
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
    adoptRegion(memory)
    // What arrives before the role is there waits. The stream never reuses memory that it has handed out.
    const waiting: Parameters<Receive>[] = []
    receive = (...record) => waiting.push(record)
    import(url)
      .then((role: Role) => {
        receive = role.receive
        role.start(channel, bytes, payload, end)
        for (const record of waiting) role.receive(...record)
      })
      .catch(fail)
  }
}

/** A role that throws is out of step with its parent, which hears of it by the end of this process. */
function fail(error: unknown): never {
  printError(`${identity.name} cannot go on`, error)
  process.exit(1)
}
