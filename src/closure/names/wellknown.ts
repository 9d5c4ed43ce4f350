/**
 * What every process of this Node has of its own, by name: globals, what hangs on them, builtin modules that
 * are loaded here. Asked by capture for values that must never be walked into. The tables are built at the
 * first question and by data properties alone: no getter runs, no module is loaded to look at it.
 */
import { builtinModules } from 'node:module'
import { types } from 'node:util'
import { runInThisContext } from 'node:vm'
import { reference, type Path, type Reference } from '../wire.ts'

/**
 * Names that every supported Node has, or has where it is new enough: these are never captured. What a
 * program adds to the global object is not among them, so it is noticed.
 */
export const globalNames: ReadonlySet<string> = new Set(
  `AbortController AbortSignal AggregateError Array ArrayBuffer AsyncDisposableStack Atomics BigInt
  BigInt64Array BigUint64Array Blob Boolean BroadcastChannel Buffer ByteLengthQueuingStrategy CloseEvent
  CompressionStream CountQueuingStrategy Crypto CryptoKey CustomEvent DOMException DataView Date
  DecompressionStream DisposableStack Error ErrorEvent EvalError Event EventSource EventTarget File
  FinalizationRegistry Float16Array Float32Array Float64Array FormData Function Headers Infinity
  Int16Array Int32Array Int8Array Intl Iterator JSON Map Math MessageChannel MessageEvent MessagePort NaN
  Navigator Number Object Performance PerformanceEntry PerformanceMark PerformanceMeasure
  PerformanceObserver PerformanceObserverEntryList PerformanceResourceTiming Promise Proxy
  QuotaExceededError RangeError ReadableByteStreamController ReadableStream ReadableStreamBYOBReader
  ReadableStreamBYOBRequest ReadableStreamDefaultController ReadableStreamDefaultReader ReferenceError
  Reflect RegExp Request Response Set SharedArrayBuffer Storage String SubtleCrypto SuppressedError Symbol
  SyntaxError Temporal TextDecoder TextDecoderStream TextEncoder TextEncoderStream TransformStream
  TransformStreamDefaultController TypeError URIError URL URLPattern URLSearchParams Uint16Array
  Uint32Array Uint8Array Uint8ClampedArray WeakMap WeakRef WeakSet WebAssembly WebSocket WritableStream
  WritableStreamDefaultController WritableStreamDefaultWriter atob btoa clearImmediate clearInterval
  clearTimeout console crypto decodeURI decodeURIComponent encodeURI encodeURIComponent escape eval fetch
  global globalThis isFinite isNaN localStorage navigator parseFloat parseInt performance process
  queueMicrotask sessionStorage setImmediate setInterval setTimeout structuredClone undefined unescape`.split(
    /\s+/,
  ),
)

/**
 * What the language has and no global names: expressions that make or find it, without a free name but
 * globals.
 */
const intrinsics = [
  'Object.getPrototypeOf(Int8Array)',
  '(async () => {}).constructor',
  '(function* () {}).constructor',
  '(async function* () {}).constructor',
  'Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]()))',
  'Object.getPrototypeOf([][Symbol.iterator]())',
  'Object.getPrototypeOf(new Map()[Symbol.iterator]())',
  'Object.getPrototypeOf(new Set()[Symbol.iterator]())',
  'Object.getPrototypeOf(""[Symbol.iterator]())',
  'Object.getPrototypeOf("".matchAll(/x/g))',
  'Object.getPrototypeOf(Object.getPrototypeOf((async function* () {}).prototype))',
]

/**
 * Globals behind getters of Node's own, which cost something to read; looked at where a value is of that
 * class.
 */
const lazyGlobals: Readonly<Record<string, string>> = {
  Crypto: 'crypto',
  SubtleCrypto: 'crypto',
  Performance: 'performance',
  Navigator: 'navigator',
}

type Found = (path: Path) => Reference

let known: Map<object, Reference> | undefined
const seenBuiltins = new Set<string>()
let seenLoads = -1

/** The reference to a function or object that each process has of its own; undefined for anything else. */
export function findWellknown(value: object): Reference | undefined {
  const table = loadTable()
  const found = table.get(value)
  if (found !== undefined) return found
  if (types.isModuleNamespaceObject(value)) return builtinNamespace(value, table)
  return typeof value === 'function' ? undefined : lazyGlobal(value)
}

/** Whether a function is native or bound: its text says nothing. */
export function isNative(text: string): boolean {
  return text.endsWith('{ [native code] }')
}

function loadTable(): Map<object, Reference> {
  if (known === undefined) {
    known = new Map()
    collectGlobals(known)
  }
  const { moduleLoadList } = process as unknown as { moduleLoadList?: readonly string[] }
  const loads = moduleLoadList?.length ?? 0
  if (loads !== seenLoads) {
    seenLoads = loads
    collectBuiltins(known, new Set(moduleLoadList))
  }
  return known
}

function collectGlobals(table: Map<object, Reference>): void {
  table.set(globalThis, [reference.global, []])
  // These two Node keeps behind getters of its own; env is no ordinary object.
  table.set(process.env, [reference.global, ['process', 'env']])
  for (const [name, value] of Object.entries({ process, Buffer }))
    collect(table, value, [name], (path) => [reference.global, path], 3)
  for (const name of globalNames) {
    const value = Object.getOwnPropertyDescriptor(globalThis, name)?.value as unknown
    if (isObject(value)) collect(table, value, [name], (path) => [reference.global, path], 3)
  }
  for (const text of intrinsics) {
    const value = evaluate(text)
    collect(table, value, [], (path) => [reference.intrinsic, text, path], 2)
  }
}

/** Here, wherever plait was loaded into; where that is forbidden, in the main context. */
function evaluate(text: string): object {
  try {
    return (0, eval)(text) as object
  } catch {
    return runInThisContext(text) as object
  }
}

function collectBuiltins(table: Map<object, Reference>, loaded: ReadonlySet<string>): void {
  for (const id of builtinModules) {
    const isLoaded = loaded.has(`NativeModule ${id}`) || loaded.has(`NativeModule internal/${id}`)
    if (seenBuiltins.has(id) || id.startsWith('_') || !isLoaded) continue
    seenBuiltins.add(id)
    const value = loadBuiltin(id)
    const name = `node:${id}`
    if (isObject(value)) collect(table, value, [], (path) => [reference.builtin, name, false, path], 3)
  }
}

/** Some are refused in worker threads, though they are listed: node:trace_events. */
function loadBuiltin(id: string): unknown {
  try {
    return process.getBuiltinModule(id)
  } catch {
    return undefined
  }
}

/** Notes `value` and what its data properties lead to; what is known already keeps its first name. */
function collect(
  table: Map<object, Reference>,
  value: object,
  path: Path,
  found: Found,
  depth: number,
): void {
  if (table.has(value) || (value === Object.prototype && path.length > 2)) return
  table.set(value, found(path))
  if (depth === 0) return
  for (const key of Reflect.ownKeys(value)) {
    if (key === 'constructor' || (typeof key === 'symbol' ? !isWellknownSymbol(key) : key.startsWith('_')))
      continue
    const { value: next, get, set } = Object.getOwnPropertyDescriptor(value, key) as PropertyDescriptor
    if (isObject(next) && leadsOn(next)) collect(table, next, [...path, key], found, depth - 1)
    if (get !== undefined && !table.has(get)) table.set(get, found([...path, [key, 'get']]))
    if (set !== undefined && !table.has(set)) table.set(set, found([...path, [key, 'set']]))
  }
}

/** Instances, such as process.stdout or a pool of sockets, are nobody's name. */
function leadsOn(value: object): boolean {
  if (typeof value === 'function') return true
  const prototype: unknown = Object.getPrototypeOf(value)
  return (
    prototype === Object.prototype ||
    prototype === null ||
    Object.hasOwn(value, 'constructor') ||
    Object.hasOwn(value, Symbol.toStringTag)
  )
}

function builtinNamespace(value: object, table: ReadonlyMap<object, Reference>): Reference | undefined {
  const exported = Object.getOwnPropertyDescriptor(value, 'default')?.value as unknown
  const found = isObject(exported) ? table.get(exported) : undefined
  if (found?.[0] === reference.builtin && found[3].length === 0)
    return [reference.builtin, found[1], true, []]
  return found?.[0] === reference.global && found[1].length === 1
    ? [reference.builtin, `node:${String(found[1][0])}`, true, []]
    : undefined
}

function lazyGlobal(value: object): Reference | undefined {
  const type = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(value) ?? {}, 'constructor')
    ?.value as unknown
  const name = typeof type === 'function' ? lazyGlobals[type.name] : undefined
  if (name === undefined) return undefined
  const owner = (globalThis as Record<string, unknown>)[name] as { subtle?: unknown } | undefined
  if (owner === value) return [reference.global, [name]]
  return owner?.subtle === value ? [reference.global, [name, 'subtle']] : undefined
}

/** `Symbol.iterator` and its like. */
export function isWellknownSymbol(symbol: symbol): boolean {
  const name = symbol.description?.startsWith('Symbol.') === true ? symbol.description.slice(7) : ''
  return (Symbol as unknown as Record<string, unknown>)[name] === symbol
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function'
}
