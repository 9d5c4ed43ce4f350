/**
 * What lives in this process and cannot travel, with a hint for each. Asked when an object's class is not
 * one that the codec knows, before the extension is; classes that derive from the ones here are refused
 * too.
 */
import { types } from 'node:util'
import type { SerializationError } from '../core/errors.ts'
import { cannotSend } from './path.ts'

const awaitFirst = 'Await it first and send the result'
const openInside = 'Open it inside the function, or send host and port'
const readFirst = 'Read it first and send the bytes, or open it inside the function'
const onlyOptions = 'Send the options and make it inside the function'
const makeInside = 'Make it inside the function, or send what it is made from'

/** Classes of Node's modules, by the name of the class: where it is from, and what to do instead. */
const moduleClasses: Record<string, readonly [modules: readonly string[], hint: string]> = {
  Socket: [['net', 'dgram'], openInside],
  Server: [['net', 'http', 'https'], openInside],
  Stream: [['stream'], readFirst],
  ChildProcess: [['child_process'], 'Send its pid, or start it inside the function'],
  Worker: [['worker_threads', 'cluster'], makeInside],
  MessagePort: [['worker_threads'], 'Use a Queue or a Pipe'],
  BroadcastChannel: [['worker_threads'], 'Use a Queue or a Pipe'],
  AsyncLocalStorage: [['async_hooks'], 'Send its store: storage.getStore()'],
  AsyncResource: [['async_hooks'], makeInside],
  KeyObject: [['crypto'], 'Send what key.export() returns'],
  Hash: [['crypto'], 'Send the data, or the digest'],
  Hmac: [['crypto'], 'Send the data, or the digest'],
  Interface: [['readline'], readFirst],
  FSWatcher: [['fs'], makeInside],
  Script: [['vm'], 'Send the source text'],
}

/** Global classes. Those of the first row hold their state where no one can read it. */
const globalClasses: Record<string, string> = {
  WeakRef: 'Send what it refers to',
  FinalizationRegistry: makeInside,
  AbortSignal: 'A task has a signal of its own; pass { signal } in the options of the call',
  AbortController: 'A task has a signal of its own; pass { signal } in the options of the call',
  EventTarget: 'Send plain data, or make it inside the function',
  Event: 'Send the fields that you need',
  ReadableStream: readFirst,
  WritableStream: 'Open it inside the function, or return the data',
  TransformStream: makeInside,
  Blob: 'Send the bytes: await blob.arrayBuffer()',
  FormData: 'Send its entries: [...form]',
  Headers: 'Send its entries: [...headers]',
  Request: 'Send its url and options',
  Response: 'Send its body: await response.json()',
  WebSocket: openInside,
  CryptoKey: 'Send what crypto.subtle.exportKey() returns',
  TextDecoder: onlyOptions,
  TextEncoder: onlyOptions,
}

/** This library's own classes, which live floors above; their methods tell them from others of that name. */
const ours: Record<string, readonly [methods: readonly string[], what: string, hint: string]> = {
  Pool: [['applyAsync', 'starmapAsync', 'statistics'], 'a Pool', 'Make one inside the function'],
  FaceExecutor: [['submit', 'withOptions', 'shutdown'], 'an executor', 'Make one inside the function'],
  Future: [['exception', 'addDoneCallback', 'running'], 'a Future', awaitFirst],
}

/** Refuses what cannot travel; returns where nothing speaks against asking the extension. */
export function refuse(value: object): void {
  if (types.isPromise(value)) throw cannotSend('it is a Promise', awaitFirst)
  if (types.isWeakMap(value)) {
    const hint = 'Use a Map; where a compiler made it of #private fields, raise its target to ES2022'
    throw cannotSend('it is a WeakMap, whose entries cannot be listed', hint)
  }
  if (types.isWeakSet(value)) throw cannotSend('it is a WeakSet, whose entries cannot be listed', 'Use a Set')
  if (types.isGeneratorObject(value))
    throw cannotSend(
      'it is a running generator',
      'Send its values ([...generator]) or the generator function',
    )
  if (types.isExternal(value)) throw cannotSend('it is a pointer into native code', makeInside)
  for (let at = prototypeOf(value); at !== null; at = prototypeOf(at)) {
    const constructor = Object.getOwnPropertyDescriptor(at, 'constructor')?.value as unknown
    if (typeof constructor === 'function') refuseClass(constructor, at)
    // Its constructor is behind a getter.
    if (Object.hasOwn(at, '_compile') && (loadedClass('module', 'Module') as Function).prototype === at)
      throw cannotSend(
        'it is the `module` of a CommonJS file, which other processes do not have',
        'Read what is needed of it outside the function: const isMain = require.main === module',
      )
    if (at === iteratorPrototype)
      throw cannotSend('it is an iterator, which cannot be wound back', 'Send its values: [...iterator]')
  }
}

function refuseClass(constructor: Function, prototype: object): void {
  const { name } = constructor
  const own = Object.hasOwn(ours, name) ? ours[name] : undefined
  if (own?.[0].every((key) => Object.hasOwn(prototype, key)) === true)
    throw cannotSend(`${own[1]} lives in this process`, own[2])
  const hint = globalClasses[name]
  if (hint !== undefined && Object.hasOwn(globalClasses, name) && globalValue(name) === constructor)
    throw cannotSend(`${article(name)} lives in this process`, hint)
  const entry = Object.hasOwn(moduleClasses, name) ? moduleClasses[name] : undefined
  for (const module of entry?.[0] ?? [])
    if (loadedClass(module, name) === constructor)
      throw cannotSend(`${article(name)} of node:${module} lives in this process`, entry![1])
  if (name === 'Timeout' || name === 'Immediate') refuseTimer(constructor)
  if (name === 'FileHandle' && 'datasync' in prototype)
    throw cannotSend(
      'a FileHandle of node:fs lives in this process',
      'Send the path and open it inside the function',
    )
  for (const space of ['Intl', 'Temporal', 'WebAssembly'])
    if ((globalValue(space) as Record<string, unknown> | undefined)?.[name] === constructor)
      throw cannotSend(`${article(`${space}.${name}`)} cannot be taken apart`, spaceHint(space, name))
}

function spaceHint(space: string, name: string): string {
  if (space === 'Temporal') return 'Send its text (toString()) and make it again with from()'
  if (space === 'WebAssembly') return name === 'Module' ? 'Send the bytes it was compiled from' : makeInside
  return 'Send the locale and options (resolvedOptions()) and make it inside the function'
}

function refuseTimer(constructor: Function): void {
  const timeout = setTimeout(() => {}, 0)
  const immediate = setImmediate(() => {})
  clearTimeout(timeout)
  clearImmediate(immediate)
  if (timeout.constructor === constructor || immediate.constructor === constructor)
    throw cannotSend('a timer lives in this process', 'Start it inside the function')
}

/**
 * The class of that name in a builtin module. A name that matches is rare, so loading the module is no
 * cost.
 */
function loadedClass(module: string, name: string): unknown {
  const exports = process.getBuiltinModule(`node:${module}`) as Record<string, unknown> | undefined
  return exports?.[name]
}

function globalValue(name: string): unknown {
  return (globalThis as Record<string, unknown>)[name]
}

function article(name: string): string {
  return `${/^[AEIOU]/.test(name) ? 'an' : 'a'} ${name}`
}

function prototypeOf(value: object): object | null {
  return Object.getPrototypeOf(value) as object | null
}

const iteratorPrototype = prototypeOf(prototypeOf([][Symbol.iterator]())!)

/** What needs an extension, where there is none. */
export function plainDataOnly(value: object | symbol): SerializationError {
  if (typeof value === 'symbol')
    return cannotSend(`${String(value)} exists in this process only`, 'Use Symbol.for()')
  const name =
    typeof value === 'function'
      ? `the function ${value.name || '(anonymous)'}`
      : `an instance of ${className(value)}`
  return cannotSend(
    `${name} cannot travel as plain data`,
    'Send data, or give the class a reducer by registerReducer()',
  )
}

function className(value: object): string {
  for (let at = prototypeOf(value); at !== null; at = prototypeOf(at)) {
    const constructor = Object.getOwnPropertyDescriptor(at, 'constructor')?.value as unknown
    if (typeof constructor === 'function' && constructor.name !== '') return constructor.name
  }
  return 'a class'
}
