/**
 * What is the same at the start of every worker, seen from its parent: what is refused, what it inherits, and
 * its first record. For the two handles.
 */
import { isImporting, selfName } from '../core/context.ts'
import { InvalidStateError } from '../core/errors.ts'
import type { WorkerHandle, WorkerOptions } from './handle.ts'
import { kinds, type StartHead, writeStart } from './protocol.ts'

/**
 * Python: RuntimeError, "an attempt has been made to start a new process before … has finished its
 * bootstrapping phase".
 */
export function refuseNestedStart(name: string): void {
  if (!isImporting()) return
  throw new InvalidStateError(
    `cannot start ${name}: a module that ${selfName()} imports starts it at its top level, and so ` +
      'would every worker in turn. Start it inside a function, or only where parentProcess() is null',
  )
}

/** The environment of a worker: what is meant for this process alone is left out. */
export function childEnv(env: NodeJS.ProcessEnv | undefined): NodeJS.ProcessEnv {
  const { NODE_CHANNEL_FD, NODE_CHANNEL_SERIALIZATION_MODE, ...rest } = env ?? process.env
  return rest
}

/** The first record; where the payload cannot be written there is no worker. */
export function sendStart(worker: WorkerHandle, head: StartHead, setup: WorkerOptions['setup']): void {
  const { channel } = worker
  const writer = channel.open(kinds.start)
  writeStart(writer, head)
  try {
    setup?.(writer, channel)
    channel.commit()
  } catch (error) {
    channel.abandon()
    worker.kill()
    throw error
  }
  channel.flush()
}
