/**
 * Loaded before all else in the threads of the model checker (`--import`): puts the model's files in the
 * place of memory/'s own, and applies the flaw, if there is one, to the text of the file that it is for.
 * Nothing of the library knows of it.
 */
import * as module from 'node:module'
import { workerData } from 'node:worker_threads'
import { initialize, load, resolve } from './redirect-hooks.ts'

const { registerHooks } = module as { registerHooks?: (hooks: object) => void }
const data: unknown = workerData
if (registerHooks !== undefined) {
  initialize(data as Parameters<typeof initialize>[0])
  registerHooks({ resolve, load })
} else module.register('./redirect-hooks.js', { parentURL: import.meta.url, data })
