/**
 * Memory that any program of this user finds by its name. names.ts knows how it is found; this maps it, and
 * gives the mapping back when no view on it is left.
 */
import { ClosedError } from '../core/errors.ts'
import { checkInteger, checkOptions, checkString } from '../core/options.ts'
import { undisturbed } from '../core/undisturbed.ts'
import { type HandleKind, registerHandle } from '../codec/handles.ts'
import { cannotSend } from '../codec/path.ts'
import { loadKoffi, type Koffi } from '../memory/koffi.ts'
import { attachNamed, createNamed, isTooLong, leaveNamed, unlinkNamed, type Named } from '../memory/names.ts'
import { sharedRegion, unmappedReason } from '../memory/region.ts'

/** What is given back when nothing looks at a mapping any more. */
interface Mapping {
  readonly named: Named
  readonly address: number
  open: boolean
}

const collected = new FinalizationRegistry<Mapping>((mapping) => {
  if (mapping.open) leaveNamed(mapping.named)
  sharedRegion('a SharedMemory').system!.unmap(mapping.address, mapping.named.size)
})

let lastName = 0

/**
 * A piece of memory of its own that any program finds by its name: another process, or a thread, of this
 * program or of an unrelated one of the same user. Nothing of it is left when the last process that holds it
 * has ended, however it ended. Python: `multiprocessing.shared_memory.SharedMemory`.
 *
 * ```ts
 * const mine = SharedMemory.create({ size: 16 })
 * const same = SharedMemory.attach(mine.name)
 * new Uint8Array(mine.buffer)[3] = 7
 * console.log([new Uint8Array(same.buffer)[3], same.size]) // => [7, 16]
 * same.close()
 * mine.unlink()
 * mine.close()
 * ```
 */
export class SharedMemory {
  readonly name: string
  /** Bytes. */
  readonly size: number
  readonly #mapping: Mapping
  #buffer: ArrayBuffer | undefined
  #unlinked = false

  /**
   * New memory, all zero. A name is made where none is given. RangeError for a size below 1; an error with
   * the code EEXIST where the name is taken.
   */
  static create(options: { size: number; name?: string }): SharedMemory {
    return create(options)
  }

  /** The memory of this name, whoever made it; an error with the code ENOENT where there is none. */
  static attach(name: string): SharedMemory {
    return attach(name)
  }

  /** @internal Use `create` or `attach`. */
  constructor(name: string, find: (name: string) => Named) {
    if (typeof find !== 'function')
      throw new TypeError('use SharedMemory.create({ size }) or SharedMemory.attach(name)')
    const named = find(name)
    const address = sharedRegion('a SharedMemory').system!.map(named.fd, named.size)
    this.name = name
    this.size = named.size
    this.#buffer = undisturbed(() => (loadKoffi() as Koffi).view(address, named.size))
    this.#mapping = { named, address, open: true }
    collected.register(this.#buffer, this.#mapping)
  }

  /** The memory itself: views on it stay good after `close()`. ClosedError after it for this getter. */
  get buffer(): ArrayBufferLike {
    if (this.#buffer === undefined) throw new ClosedError(`the SharedMemory '${this.name}' is closed`)
    return this.#buffer
  }

  /** This object holds it no longer; the name is gone where nobody else does. A second time is nothing. */
  close(): void {
    if (!this.#mapping.open) return
    this.#mapping.open = false
    this.#buffer = undefined
    leaveNamed(this.#mapping.named)
  }

  /**
   * Takes the name away: nobody can attach any more, and whoever holds the memory keeps it. An error with the
   * code ENOENT where that was done before; after `close()` it is nothing where the name is gone by itself.
   */
  unlink(): void {
    const found = unlinkNamed(this.name, this.#mapping.named.inode)
    const gone = this.#unlinked || (!found && this.#mapping.open)
    this.#unlinked = true
    if (!gone) return
    const error = new Error(`the SharedMemory '${this.name}' has been unlinked before`)
    throw Object.assign(error, { code: 'ENOENT' })
  }

  /** Closes it. */
  [Symbol.dispose](): void {
    this.close()
  }

  /** @internal */
  get inode(): number {
    if (!this.#mapping.open)
      throw cannotSend(`the SharedMemory '${this.name}' is closed`, 'Send it before close()')
    return this.#mapping.named.inode
  }
}

// Out here, so that no tool that renames a class within itself renames this one.

function create(options: { size: number; name?: string } | undefined): SharedMemory {
  checkOptions(options)
  if (options === undefined) throw new TypeError('SharedMemory.create needs { size }')
  const { size, name } = options
  checkInteger(size, 'size', 1)
  if (name !== undefined) checkName(name)
  return new SharedMemory(name ?? freshName(), (chosen) => createNamed(chosen, size))
}

function attach(name: string): SharedMemory {
  checkName(name)
  return new SharedMemory(name, attachNamed)
}

function checkName(name: unknown): void {
  checkString(name, 'name')
  if (name === undefined) throw new TypeError('a SharedMemory is attached by its name, a string')
  if (name === '' || /[/\0\p{Surrogate}]/u.test(name))
    throw new RangeError('name must be a text of one character or more, without "/" and NUL')
  if (isTooLong(name)) throw new RangeError(`name must be shorter, got ${name.length} characters`)
}

function freshName(): string {
  return `plait-${process.pid}-${Math.random().toString(36).slice(2)}-${++lastName}`
}

/** Those that messages were lent: they stay attached here until nobody reads the message any more. */
const lent = new Map<number, SharedMemory>()
let lastLent = 0

const kind: HandleKind = {
  room: 'sync',
  name: 'SharedMemory',
  write(handle, carried, process) {
    const memory = handle as SharedMemory
    const reason = process ? unmappedReason() : undefined
    if (reason !== undefined)
      throw cannotSend(`a SharedMemory cannot be shared with another process here: ${reason}`, 'Use threads')
    if (carried.lent) {
      lent.set(++lastLent, memory)
      carried.give(kind, lastLent)
    }
    return [memory.name, memory.inode]
  },
  read(state) {
    const [name, inode] = state as [string, number]
    return new SharedMemory(name, () => attachNamed(name, inode))
  },
  unsend: (share) => void lent.delete(share),
}

registerHandle(SharedMemory.prototype, kind)
