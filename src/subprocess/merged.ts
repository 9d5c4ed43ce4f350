/**
 * One pipe for stdout and stderr, so that what a program writes to both comes in the order of writing. Node
 * makes a pipe for each, and never one for both; but two descriptors of a child may lead to one socket of
 * ours. Such a pair is made here by a server that takes a single connection, under a name that only this user
 * can see and that is gone before the program starts. Called by child.ts; what goes wrong is thrown.
 */
import { mkdtempSync, rmdirSync, rmSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Output } from './output.ts'

/** The two ends of the pipe. */
export interface Merged {
  /** The child's; this process lets go of it with `close()` as soon as the child has it. */
  readonly end: Socket
  close(): void
  /** Where no child came of it. */
  cancel(): void
}

const nothing = (): void => {}

/** The name of a socket has room for some hundred bytes. */
const longestFolder = 80

/** A pipe whose other end feeds `output`; null where there are no descriptors for it. */
export function openMerged(output: Output): Merged | null {
  const server = createServer((socket) => {
    server.close()
    output.feed(socket)
  })
  server.on('error', nothing) // seen by `listening`
  const folder = mkdtempSync(join(tmpdir().length > longestFolder ? '/tmp' : tmpdir(), 'plait-'))
  try {
    const path = join(folder, 'pipe')
    // Both are done when the calls return. `exclusive`: a worker of node:cluster asks its primary otherwise.
    server.listen({ path, exclusive: true })
    const end = connect({ path }).on('error', nothing)
    const cancel = (): void => {
      end.destroy()
      server.close()
      output.destroy()
    }
    if (server.listening && !end.destroyed) return { end, close: () => end.destroy(), cancel }
    cancel()
    return null
  } finally {
    // To remove a folder with what is in it takes a descriptor, and there may be none left.
    rmSync(join(folder, 'pipe'), { force: true })
    rmdirSync(folder)
  }
}
