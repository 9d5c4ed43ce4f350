/**
 * What CommonJS's cache tells: which scripts are its modules, and which functions and objects are their
 * exports. Asked by modules and names; loads nothing, and calls no getter but those that compilers write.
 */
import { types } from 'node:util'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { entryFiles, require } from './entry.ts'
import { reference, type Reference } from '../wire.ts'

/**
 * Whether a script is a CommonJS module, as far as Node knows it: test runners have modules of their own
 * kinds.
 */
export function isCommonjs(url: string): boolean {
  return url.startsWith('file:') && require().cache[fileURLToPath(url)] !== undefined
}

/** The reference to an object that is the exports of a module that was required, ES modules among them. */
export function findCommonjsObject(value: object): Reference | undefined {
  const files = Object.keys(require().cache)
  if (files.length !== filesSeen) {
    filesSeen = files.length
    fileOfExports = new Map()
    const entries = entryFiles()
    for (const file of files) {
      const exports = require().cache[file]?.exports as unknown
      if (typeof exports === 'object' && exports !== null && !entries.includes(file))
        fileOfExports.set(exports, file)
    }
  }
  const file = fileOfExports.get(value)
  return file === undefined || require().cache[file]?.exports !== value ? undefined : inFile(file)
}

let fileOfExports = new Map<object, string>()
let filesSeen = -1

/** The reference to a function that a file exports; undefined where it travels by value. */
export function findCommonjsExport(fn: Function, file: string): Reference | undefined {
  const loaded = require().cache[file]
  if (loaded === undefined || entryFiles().includes(file)) return undefined
  const exports = loaded.exports as unknown
  if (exports === fn) return inFile(file)
  if ((typeof exports !== 'object' && typeof exports !== 'function') || exports === null) return undefined
  for (const key of Object.keys(exports))
    if (readCommonjsExport(exports, key) === fn) return inFile(file, key)
  return undefined
}

/**
 * A module's exports, or one of them. Loaders make CommonJS of plait's own files too: workers have the real
 * ones.
 */
function inFile(file: string, key?: string): Reference {
  const { href } = pathToFileURL(file)
  const exports = require().cache[file]?.exports as unknown
  if (types.isModuleNamespaceObject(exports) || isOwnFile(href))
    return [reference.module, href, href, null, key ?? '*', []]
  return [reference.commonjs, file, key === undefined ? [] : [key]]
}

/** Whether a file is one of plait's. They may lie in folders like the sources, or all in one. */
export function isOwnFile(url: string): boolean {
  const own = import.meta.url
  return url.startsWith(new URL(/\/closure\/[^/]+$/.test(own) ? '..' : '.', own).href)
}

/** Compilers write exports as getters that do no more than name a variable; no other getter is called. */
const namesVariable =
  /^(?:\(\)\s*=>\s*|function\s*\(\)\s*\{\s*return\s+)[\w$]+(?:\.[\w$]+|\[\w+\])?(?:;?\s*\})?$/

function readCommonjsExport(exports: object, key: string): unknown {
  const { value, get } = Object.getOwnPropertyDescriptor(exports, key) ?? {}
  if (get === undefined || !namesVariable.test(Function.prototype.toString.call(get))) return value
  try {
    return Reflect.apply(get, exports, [])
  } catch {
    // Not initialised yet.
    return undefined
  }
}
