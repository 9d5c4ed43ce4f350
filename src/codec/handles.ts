/**
 * Handles: objects that stand for something shared, which another process or thread opens anew instead of
 * getting a copy. Their classes register here; encoder and decoder ask. A message holds a share in what it
 * names: *given*, its one reader takes it over; *lent*, any number of readers take shares of their own, and
 * the sender drops the message's when none can come any more. Knows no kind of handle by itself; the room of
 * one that arrives is loaded on the spot.
 */
import { loadRoom } from '../core/bundle.ts'
import { type Beside, numberOf, type Numbered } from './shared-buffers.ts'

/** How one class of handles travels. */
export interface HandleKind {
  /** The room whose file open.ts registers it, and its name there. */
  readonly room: string
  readonly name: string
  /**
   * Plain data from which `read` makes the handle again. Gives its share to `carried`; throws a
   * SerializationError where it cannot travel. `process`: to another process.
   */
  write(handle: object, carried: Carried, process: boolean): unknown
  /** The handle, on the other side; `given` says that the message's share of it is the reader's now. */
  read(state: unknown, given: boolean): object
  /** Nobody will read a message with this share any more. */
  unsend(share: number): void
}

/** What goes with one message beside its bytes, from the sender's side: handles above all. */
export class Carried {
  /** Many may read the message. */
  readonly lent: boolean
  /** Whoever can read the message shares what the handles stand for: it lies there, or goes to a thread. */
  readonly inside: boolean
  readonly shares: number[] = []
  /** SharedArrayBuffers, each as often as the message names it. */
  #buffers: Numbered[] = []
  /** Where they went ahead. */
  readonly #ways: Beside[] = []
  readonly #kinds: HandleKind[] = []

  constructor(lent: boolean, inside = false) {
    this.lent = lent
    this.inside = inside
  }

  give(kind: HandleKind, share: number): void {
    this.#kinds.push(kind)
    this.shares.push(share)
  }

  /**
   * Where large bytes go that shall not be copied into the message: the number by which the reader finds them
   * (see buffers.ts), or undefined where they are to be part of it.
   */
  place(_bytes: Uint8Array): number | undefined {
    return undefined
  }

  /** The number by which the message names a SharedArrayBuffer; undefined where it cannot go along. */
  share(buffer: SharedArrayBuffer): number | undefined {
    if (!this.inside) return undefined
    const number = numberOf(buffer)
    this.#buffers.push([number, buffer])
    return number
  }

  /** Nothing goes with the message. */
  get empty(): boolean {
    return this.shares.length === 0 && this.#buffers.length === 0
  }

  /** Something goes ahead of the message: see sendAhead. */
  get shared(): boolean {
    return this.#buffers.length > 0
  }

  /** Called before the message leaves, for each that is to read it. */
  sendAhead(way: Beside | null): void {
    if (this.#buffers.length === 0) return
    way!.attach(this.#buffers)
    if (this.lent) this.#ways.push(way!)
  }

  /** Nobody will read the message any more. */
  drop(): void {
    for (const way of this.#ways.splice(0)) way.detach(this.#buffers.map(([number]) => number))
    for (const [i, kind] of this.#kinds.entries()) kind.unsend(this.shares[i]!)
    this.clear()
  }

  /** The shares are somebody else's from here on. */
  clear(): void {
    if (this.shares.length > 0) this.shares.length = this.#kinds.length = 0
    if (this.#buffers.length > 0) this.#buffers = []
  }

  /** The same in an object of their own; null where there are none. This one is empty afterwards. */
  take(): Carried | null {
    if (this.empty) return null
    const taken = new Carried(this.lent, this.inside)
    taken.#buffers = this.#buffers
    this.#buffers = []
    for (const [i, kind] of this.#kinds.entries()) taken.give(kind, this.shares[i]!)
    this.clear()
    return taken
  }
}

let read = 0

/** Grows with each handle that is read here, and with each buffer that is shared with its sender. */
export function handlesRead(): number {
  return read
}

export function countRead(): void {
  read++
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
  read++
  if (known !== undefined || !/^[a-z]+$/.test(room)) return known
  loadRoom(room)
  return byName.get(key)
}
