/**
 * Handles: objects that stand for something shared, which another process or thread opens anew instead of
 * getting a copy. Their classes register here; encoder and decoder ask. A message *gives* a handle to its one
 * reader, or *lends* it to any number of readers for as long as the sender keeps the object. Knows no kind of
 * handle by itself; the room of one that arrives is loaded on the spot.
 */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { PlaitError } from '../core/errors.ts'

/** How one class of handles travels. */
export interface HandleKind {
  /** The room whose file open.ts registers it, and its name there. */
  readonly room: string
  readonly name: string
  /**
   * Plain data from which `read` makes the handle again. Notes in `carried` what it gives or lends; throws
   * a SerializationError where it cannot travel. `process`: to another process.
   */
  write(handle: object, carried: Carried, process: boolean): unknown
  /** The handle, on the other side; `given` says that the message's share of it is the reader's now. */
  read(state: unknown, given: boolean): object
  /** A message with this share will never be read. */
  unsend(share: number): void
}

/** The handles in one message, from the sender's side. */
export class Carried {
  /** Lent: many may read the message, and the sender keeps `handles` as long as one may. */
  readonly lent: boolean
  readonly handles: object[] = []
  /** Given: what each of them has to give back where nobody reads the message. */
  readonly shares: number[] = []
  readonly #kinds: HandleKind[] = []

  constructor(lent: boolean) {
    this.lent = lent
  }

  give(kind: HandleKind, share: number): void {
    this.#kinds.push(kind)
    this.shares.push(share)
  }

  /** The message will never be read. */
  drop(): void {
    for (const [i, kind] of this.#kinds.entries()) kind.unsend(this.shares[i]!)
    this.clear()
  }

  /** The message is on its way. */
  clear(): void {
    if (this.handles.length > 0) this.handles.length = 0
    if (this.shares.length > 0) this.shares.length = this.#kinds.length = 0
  }
}

const byPrototype = new WeakMap<object, HandleKind>()
const byName = new Map<string, HandleKind>()

/** Instances of the class with this prototype are handles; those of subclasses cannot travel. */
export function registerHandle(prototype: object, kind: HandleKind): void {
  byPrototype.set(prototype, kind)
  byName.set(`${kind.room} ${kind.name}`, kind)
}

/** The kind of a handle; undefined for everything else. */
export function handleKind(value: object, prototype: object | null): HandleKind | undefined {
  if (byName.size === 0 || prototype === null) return undefined
  const kind = byPrototype.get(prototype)
  return kind !== undefined && value !== prototype ? kind : undefined
}

/** The nearest class of handles that a value's class derives from; undefined where there is none. */
export function handleParent(prototype: object | null): HandleKind | undefined {
  if (byName.size === 0) return undefined
  for (let at = prototype; at !== null; at = Object.getPrototypeOf(at) as object | null) {
    const kind = byPrototype.get(at)
    if (kind !== undefined) return kind
  }
  return undefined
}

/** The kind that a message names; its room is loaded where it is not here yet. */
export function kindNamed(room: string, name: string): HandleKind | undefined {
  const key = `${room} ${name}`
  const known = byName.get(key)
  if (known !== undefined || !/^[a-z]+$/.test(room)) return known
  const file = fileOf(room)
  if (file === undefined) return undefined
  try {
    createRequire(import.meta.url)(file)
  } catch (error) {
    throw new PlaitError(
      `a handle has arrived while the module that opens it (${room}) is being imported: ` +
        'await the import first',
      { cause: error },
    )
  }
  return byName.get(key)
}

/** Where the sources are a folder for each room, and where all lie in one. */
function fileOf(room: string): string | undefined {
  return [`./${room}-open.js`, `../${room}/open.js`]
    .map((path) => fileURLToPath(new URL(path, import.meta.url)))
    .find((path) => existsSync(path))
}
