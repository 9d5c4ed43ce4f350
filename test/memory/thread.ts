/**
 * The first file of a thread that children.ts starts: adopts the memory, calls one of jobs.ts, and says what.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { adoptRegion, type RegionOrigin } from '#plait/memory/region.js'
import * as jobs from './jobs.ts'

const { origin, job, args } = workerData as { origin: RegionOrigin; job: string; args: unknown[] }
adoptRegion(origin)
const all = jobs as unknown as Record<string, (...args: unknown[]) => unknown>
// oxlint-disable-next-line require-post-message-target-origin -- a port, not a window
parentPort!.postMessage(await all[job](...args))
