/** A program that knows of others but a name: `create NAME` or `attach NAME`, and it stays; or `child`. */
import { SharedMemory } from '#plait/sync/open.js'

import { Process } from '#plait/worker/process.js'

const [what, name] = process.argv.slice(2) as [string, string]
if (what === 'child') {
  const child = new Process({ target: () => 'its result' }).start()
  console.log(await child.result, await child.join())
  process.exit()
}
try {
  const memory = what === 'create' ? SharedMemory.create({ size: 2, name }) : SharedMemory.attach(name)
  new Uint8Array(memory.buffer)[0] = 77
  console.log(what === 'create' ? 'created' : `attached ${memory.size}`)
  setInterval(() => memory.size, 10_000)
} catch (error) {
  const { code, message } = error as Error & { code: string }
  console.log(code.startsWith('PLAIT') ? message : code)
  if (!code.startsWith('PLAIT')) setInterval(() => {}, 10_000)
}
