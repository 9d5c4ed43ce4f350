/**
 * Two connected sockets, and seeded numbers, for the tests of what runs over a stream. No tests here.
 */
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export async function socketPair(): Promise<[Socket, Socket]> {
  const folder = mkdtempSync(join(tmpdir(), 'plait-test-'))
  const server = createServer()
  server.listen(join(folder, 'socket'))
  await once(server, 'listening')
  const near = connect(join(folder, 'socket'))
  const [[far]] = await Promise.all([once(server, 'connection'), once(near, 'connect')])
  server.close()
  rmSync(folder, { recursive: true, force: true })
  return [near, far as Socket]
}

/** A small seeded generator: numbers in [0, 1). */
export function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}
