/** First file of a thread in these tests: runs one of the bodies with what its message holds. */
import { parentPort, workerData } from 'node:worker_threads'
import { decode } from '#plait/codec/decode.js'
import { adoptRegion, type RegionOrigin } from '#plait/memory/region.js'
import { bodies } from './bodies.ts'

const { region, name, bytes } = workerData as { region: RegionOrigin; name: string; bytes: Uint8Array }
adoptRegion(region)
const args = decode(Buffer.from(bytes), 0, bytes.length) as never[]
const body = bodies[name as keyof typeof bodies] as (...args: never[]) => unknown
const result = await body(...args)
parentPort!.postMessage(result) // oxlint-disable-line unicorn/require-post-message-target-origin
