/**
 * Memory that has a name, for programs that know nothing of each other. The memory itself has none: whoever
 * holds it keeps a descriptor, and an empty file whose name says under which process it is to be found. Who
 * attaches opens the first that is still there and leaves an entry of its own. So a name lives as long as
 * somebody holds it, and what a killed process leaves is an empty file, which the next one that looks takes
 * away. All of it happens under the lock of the folder, which ends with its holder (S8).
 */
import { closeSync, constants, existsSync, fstatSync, openSync, readdirSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { PlaitError } from '../core/errors.ts'
import { threadFutex } from './atomics.ts'
import { openedRegion, sharedRegion } from './region.ts'
import { threads, type System } from './os.ts'
import { onBurial } from './sweep.ts'

/** A descriptor of the memory in some process. */
interface Entry {
  readonly file: string
  readonly name: string
  readonly pid: number
  readonly started: number
  readonly fd: number
  /** Tells the memory from what a descriptor of the same number is later. */
  readonly inode: number
}

/** Named memory that this process holds. */
export interface Named {
  readonly fd: number
  readonly inode: number
  readonly size: number
  /** The path of its entry. */
  readonly path: string
}

/** Longest name of a file. */
const longest = 255
/** Milliseconds in which others are done with the folder, unless something is wrong. */
const patience = 10_000

/** New memory under a name that nobody has; an error with code EEXIST where somebody has. */
export function createNamed(name: string, size: number): Named {
  return underLock((system) => {
    // Whatever they are called: nobody else may ever ask for a name that a killed program had made up.
    for (const entry of entries(system)) if (!isOfProcess(entry)) discard(system, entry)
    if (entries(system, name).some((entry) => isLive(system, entry)))
      throw coded('EEXIST', `a SharedMemory called '${name}' exists already: attach to it, or unlink it`)
    return enlist(system, name, ownOf(system, system.createMemory(size)), size)
  })
}

/** The memory of this name, held by this process as well; an error with code ENOENT where there is none. */
export function attachNamed(name: string, inode?: number): Named {
  return underLock((system) => {
    for (const entry of entries(system, name)) {
      if (inode !== undefined && entry.inode !== inode) continue
      const fd = open(system, entry)
      if (fd !== undefined) return enlist(system, name, fd, fstatSync(fd).size)
      discard(system, entry)
    }
    throw coded('ENOENT', `there is no SharedMemory called '${name}' (any more)`)
  })
}

/** This process holds it no longer. */
export function leaveNamed({ fd, path }: Named): void {
  held.delete(path)
  unlink(path)
  closeSync(fd)
}

/** Nobody finds the memory under its name any more; false where nobody would have. */
export function unlinkNamed(name: string, inode: number): boolean {
  return underLock((system) => {
    const own = entries(system, name).filter((entry) => entry.inode === inode)
    for (const { file } of own) unlink(join(system.namesFolder, file))
    return own.length > 0
  })
}

/** Entries of this process, to be taken away at its end. */
const held = new Set<string>()
let leaving = false

/** The same memory by a descriptor of node:fs, which closes those of a thread with it, however it ends. */
function ownOf(system: System, fd: number): number {
  try {
    return openSync(system.descriptorPath(process.pid, fd), constants.O_RDWR)
  } finally {
    system.close(fd)
  }
}

/** Never through a link, which anybody may put there. */
function makeEntry(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    // Of a thread that was ended, whose descriptor had this number.
    unlinkSync(path)
    closeSync(openSync(path, 'wx', 0o600))
  }
}

function enlist(system: System, name: string, fd: number, size: number): Named {
  const { ino: inode } = fstatSync(fd)
  const started = threads!.started(process.pid, process.pid)
  const path = join(system.namesFolder, `${prefixOf(system, name)}${process.pid}.${started}.${fd}.${inode}`)
  try {
    makeEntry(path)
  } catch (error) {
    closeSync(fd)
    throw error
  }
  if (!leaving) process.once('exit', () => held.forEach(unlink))
  leaving = true
  held.add(path)
  return { fd, inode, size, path }
}

/**
 * Names belong to a user, and to those who see the same pids: several containers may have one folder. Nobody
 * else could open the memory behind them, or tell whether it is still there.
 */
function prefixOf({ pidNamespace }: System, name = ''): string {
  const prefix = `plait.${process.getuid?.() ?? 0}.${pidNamespace}.`
  return name === '' ? prefix : `${prefix}${encodeURIComponent(name)}.`
}

/** Can there be such an entry? */
export function isTooLong(name: string): boolean {
  return encodeURIComponent(name).length > longest - 90
}

function entries(system: System, name = ''): Entry[] {
  const prefix = prefixOf(system, name)
  const found: Entry[] = []
  for (const file of readdirSync(system.namesFolder)) {
    if (!file.startsWith(prefix)) continue
    const match = /^plait\.\d+\.\d+\.(.+)\.(\d+)\.(-?\d+)\.(\d+)\.(\d+)$/.exec(file)
    if (match === null) continue
    const [pid, started, fd, inode] = match.slice(2).map(Number) as [number, number, number, number]
    const entry = { file, name: decodeURIComponent(match[1]!), pid, started, fd, inode }
    if (name === '' || entry.name === name) found.push(entry)
  }
  return found
}

/** Whether the entry leads somewhere; one that does not is taken away. */
function isLive(system: System, entry: Entry): boolean {
  const fd = open(system, entry)
  if (fd === undefined) return discard(system, entry)
  closeSync(fd)
  return true
}

/** Whether its process is still the one that made it. */
function isOfProcess({ pid, started }: Entry): boolean {
  return threads!.started(pid, pid) === started
}

function open(system: System, entry: Entry): number | undefined {
  if (!isOfProcess(entry)) return undefined
  const { pid, fd, inode } = entry
  try {
    const opened = openSync(system.descriptorPath(pid, fd), constants.O_RDWR)
    if (fstatSync(opened).ino === inode) return opened
    closeSync(opened)
  } catch {
    // it was closed, or its process has ended just now
  }
  return undefined
}

function discard(system: System, { file }: Entry): false {
  unlink(join(system.namesFolder, file))
  return false
}

function unlink(path: string): void {
  try {
    unlinkSync(path)
  } catch {
    // somebody else has
  }
}

function underLock<R>(fn: (system: System) => R): R {
  const system = sharedRegion('a SharedMemory').system!
  const folder = openSync(system.namesFolder, constants.O_RDONLY)
  try {
    const deadline = performance.now() + patience
    while (!system.tryLock(folder)) {
      if (performance.now() > deadline)
        throw new PlaitError(`${system.namesFolder} is locked by another program for ${patience} ms`)
      threadFutex.wait(pause, 0, 0, 1)
    }
    return fn(system)
  } finally {
    closeSync(folder)
  }
}

const pause = new Int32Array(new SharedArrayBuffer(4))

function coded(code: string, message: string): Error {
  return Object.assign(new Error(message), { code })
}

/**
 * What a child or a thread that was killed has left, and others that had no parent here. Where no memory is
 * mapped here, its children have none either.
 */
onBurial(() => {
  const system = openedRegion()?.system
  if (!system || !existsSync(system.namesFolder)) return
  for (const entry of entries(system)) {
    // Of this process: a thread's, whose descriptor was closed with it.
    if (entry.pid === process.pid) isLive(system, entry)
    else if (!isOfProcess(entry)) discard(system, entry)
  }
})
