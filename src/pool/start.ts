/**
 * How the worker of a pool is started: which role it has, and what that is told with the first record. The
 * other side of the setup is in role.ts.
 */
import { ownFile } from '../core/bundle.ts'
import { encode } from '../codec/encode.ts'
import { homeId } from '../closure/tracker.ts'
import type { Receive } from '../transport/channel.ts'
import type { WorkerHandle } from '../worker/handle.ts'
import type { PoolWorkerOptions } from './pool-worker.ts'
import type { Wire } from './wire.ts'

/** What the role is told. */
export interface Setup {
  readonly concurrency: number
  /** The pool's home id: classes that it brought itself are sent by id alone. */
  readonly home: string
  /** The first order is to run one. */
  readonly initializer: boolean
  /** Address of the link; 0 where there is none. */
  readonly link: number
}

let role: string | undefined

/** @throws where the system refuses it. */
export function startWorker(options: PoolWorkerOptions, wire: Wire, receive: Receive): WorkerHandle {
  const { name, path, concurrency, initializer, env, execArgv } = options
  role ??= ownFile('./role.js', import.meta.url).href
  const setup: Setup = { concurrency, home: homeId, initializer: initializer !== null, link: wire.address }
  return options.body.start(
    {
      name,
      daemon: true,
      path,
      role,
      ledger: wire.ledger,
      env,
      execArgv,
      setup: (writer) => encode(setup, writer),
    },
    receive,
  )
}
