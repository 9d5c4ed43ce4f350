/**
 * The other process of remote.ts: revives what arrives, calls it, captures what it gives. Run by remote.ts.
 */
import { Reviver } from '#plait/closure/revive.js'
import { pack, unpack, type Request } from './remote.ts'

const reviver = new Reviver()

process.on('message', (message) => {
  const request = message as Request
  const options = { what: 'the result', receiver: request.receiver }
  const call = async (): Promise<unknown> => {
    const [fn, args] = (await unpack(reviver, request)) as [(...args: unknown[]) => unknown, unknown[]]
    return pack(await fn(...args), options)
  }
  call().then(
    (parcel) => process.send?.({ ...(parcel as object), failed: false }),
    (error: unknown) => process.send?.({ ...pack(error, options), failed: true }),
  )
})
