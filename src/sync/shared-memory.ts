/**
 * Memory that any program of this user finds by its name. names.ts knows how it is found; this maps it, and
 * gives the mapping back when no view on it is left.
 */
import { constants } from 'node:buffer'
import { ClosedError } from '../core/errors.ts'
import { checkInteger, checkOptions, checkString } from '../core/options.ts'
import { undisturbed } from '../core/undisturbed.ts'
import { type HandleKind, registerHandle } from '../codec/handles.ts'
import { cannotSend } from '../codec/path.ts'
import { loadKoffi, type Koffi } from '../memory/koffi.ts'
import { mapNamed, unmapNamed } from '../memory/mappings.ts'
import { attachNamed, createNamed, isTooLong, leaveNamed, unlinkNamed, type Named } from '../memory/names.ts'
import { unmappedReason } from '../memory/region.ts'

/** What is given back when nothing looks at a mapping any more. */
interface Mapping {
  readonly named: Named
  /** See memory/mappings. */
  readonly block: number
  open: boolean
}

const collected = new FinalizationRegistry<Mapping>((mapping) => {
  if (mapping.open) leaveNamed(mapping.named)
  unmapNamed(mapping.block)
})

let lastName = 0

/**
 * A piece of memory of its own that any program finds by its name: another process, or a thread, of this
 * program or of an unrelated one of the same user. Nothing of it is left when the last process that holds it
 * has ended, however it ended. It travels by its name: whoever sends one keeps it open until it was received,
 * else that fails with the code ENOENT; a SharedArray needs no such care. Python:
 * `multiprocessing.shared_memory.SharedMemory`.
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
   * New memory, all zero. A name is made where none is given. RangeError for a size below 1 or above what one
   * buffer of this Node may have; an error with the code EEXIST where the name is taken, with that of the
   * system (ENOMEM …) where it refuses. Nothing is left then.
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
    this.name = name
    this.size = named.size
    const { address, block } = mapped(name, named)
    this.#buffer = undisturbed(() => (loadKoffi() as Koffi).view(address, named.size))
    this.#mapping = { named, block, open: true }
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
  checkLength(size)
  if (name !== undefined) checkName(name)
  return new SharedMemory(name ?? freshName(), (chosen) => {
    try {
      return createNamed(chosen, size)
    } catch (error) {
      throw explained(error, `the SharedMemory '${chosen}' of ${size} bytes cannot be made`)
    }
  })
}

/** Node does not throw beyond it: it aborts. */
function checkLength(bytes: number): void {
  if (bytes > constants.MAX_LENGTH)
    throw new RangeError(`size must be at most ${constants.MAX_LENGTH} in this Node, got ${bytes}`)
}

/** Where the memory is mapped; where it cannot be, this process holds it no longer. */
function mapped(name: string, named: Named): { address: number; block: number } {
  try {
    checkLength(named.size)
    return mapNamed(named.fd, named.size)
  } catch (error) {
    leaveNamed(named)
    if (error instanceof RangeError) throw error
    throw explained(error, `the SharedMemory '${name}' of ${named.size} bytes cannot be had`)
  }
}

/** The error of the system, code and all, with the words of whom it concerns before its own. */
function explained(error: unknown, what: string): unknown {
  if (error instanceof Error && 'syscall' in error) error.message = `${what}: ${error.message}`
  return error
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

function attachSent(name: string, inode: number, pid: number): Named {
  try {
    return attachNamed(name, inode)
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ENOENT')
      (error as Error).message =
        `the SharedMemory '${name}' was gone before it was received: nobody held it any more. ` +
        `Process ${pid}, which sent it, must keep it open until then; ` +
        'or send a SharedArray, which its message keeps'
    throw error
  }
}

const kind: HandleKind = {
  room: 'sync',
  name: 'SharedMemory',
  write(handle, carried, outside) {
    const memory = handle as SharedMemory
    const reason = outside ? unmappedReason() : undefined
    if (reason !== undefined)
      throw cannotSend(`a SharedMemory cannot be shared with another process here: ${reason}`, 'Use threads')
    if (carried.lent) {
      lent.set(++lastLent, memory)
      carried.give(kind, lastLent)
    }
    return [memory.name, memory.inode, process.pid]
  },
  read(state) {
    const [name, inode, pid] = state as [string, number, number]
    return new SharedMemory(name, () => attachSent(name, inode, pid))
  },
  unsend: (share) => void lent.delete(share),
}

registerHandle(SharedMemory.prototype, kind)
