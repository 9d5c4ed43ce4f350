/**
 * The first file of every worker, process or thread. A process's WorkerHandle names it on the command line
 * and keeps the other end of descriptor 3; a thread's gives it a port. Loads as little as it can: a worker's
 * start is the sum of its files.
 */
import { StreamChannel } from '../transport/stream.ts'
import { begin } from './body.ts'
import { beginThread } from './thread-body.ts'
import { threadFlag } from './thread-flag.ts'

if (process.argv.at(-1) === threadFlag) {
  process.argv.pop()
  beginThread()
} else {
  const { Socket } = process.getBuiltinModule('node:net')
  begin((receive, onEnd) => new StreamChannel(new Socket({ fd: 3 }), receive, onEnd), 4)
}
