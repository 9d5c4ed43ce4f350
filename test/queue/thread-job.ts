/**
 * What the threads of threads.test.ts do: the first file of each.
 */
import { workerData } from 'node:worker_threads'
import { ShutDown } from '#plait/core/errors.js'
import type { RegionOrigin } from '#plait/memory/region.js'
import type { Connection } from '#plait/queue/connection.js'
import type { Queue } from '#plait/queue/queue.js'
import { valueOf } from './thread-kit.js'

interface Job {
  items: Queue<[number, number]>
  out: Queue
  who: number
  count: number
  end: Connection<number, Uint8Array>
}

const jobs: Record<string, (job: Job) => unknown> = {
  produce({ items, who, count }) {
    for (let n = 0; n < count; n++) items.putSync([who, n])
  },
  async wait({ items, out }) {
    const item = items.get()
    out.putNowait('waits')
    await item
  },
  async consume({ items, out }) {
    for await (const item of items) out.putNowait(item)
  },
  consumeSync({ items, out }) {
    try {
      for (;;) out.putNowait(items.getSync())
    } catch (error) {
      if (!(error instanceof ShutDown)) throw error
    }
  },
  async measure({ end }) {
    for await (const bytes of end) await end.send(bytes.length)
  },
}

const { origin, job, bytes } = workerData as { origin: RegionOrigin; job: string; bytes: Uint8Array }
await jobs[job](valueOf(origin, bytes) as Job)
