/**
 * What shared memory asks of Linux, through koffi: memory without a name, its mapping, sleeping on a word of
 * it, pipes; and, through /proc, who lives. All calls are synchronous and short, or sleep for a given time.
 * Another platform's file has the same exports.
 */
import { constants, readFileSync, readlinkSync, statSync } from 'node:fs'
import { getSystemErrorName } from 'node:util'
import type { Koffi } from './koffi.ts'

export interface System {
  /** A new piece of memory, sparse and zero, as a descriptor that execve() closes. */
  createMemory(bytes: number): number
  /** Maps it whole; the address. Never unmapped: views on it may live as long as the thread. */
  map(fd: number, bytes: number): number
  /** Gives a mapping back: nothing may look at it any more. */
  unmap(address: number, bytes: number): void
  /** Sleeps while the word at `address` is `value`, at most `ms`. */
  futexWait(address: number, value: number, ms: number): void
  futexWake(address: number, count: number): void
  /** Gives the pages within back to the system; they are zero afterwards. False where it cannot. */
  discard(fd: number, from: number, bytes: number): boolean
  /**
   * A pipe as one descriptor that reads, never blocks, never ends, and is closed with the thread's handles.
   * Others open it for writing by its path.
   */
  bell(): number
  /** Closes what `createMemory` or `bell` has opened; node:fs says of those that it never opened them. */
  close(fd: number): void
  /** Where names are kept that other programs find, in memory. */
  readonly namesFolder: string
  /** Takes the one lock that an open folder has, without waiting; it ends with the descriptor. */
  tryLock(fd: number): boolean
  /** Tells processes that know each other by their pids from those of another container. */
  readonly pidNamespace: number
  /** The path under which another process opens a descriptor of `pid`. */
  descriptorPath(pid: number, fd: number): string
}

/** Threads as the system knows them. */
export interface Threads {
  /** The id of this one; 0 where nobody can tell. */
  id(): number
  /**
   * When the thread began, as a 32 bit number that another thread with this id will not have; 0 where there
   * is no such thread, or where it has ended and only waits to be collected.
   */
  started(pid: number, tid: number): number
}

const FUTEX = { x64: 202, arm64: 98 } as const

const FUTEX_WAIT = 0
const FUTEX_WAKE = 1
const PROT_READ_WRITE = 3
const MAP_SHARED_NORESERVE = 0x4001
const MFD_CLOEXEC = 1
const LOCK_EXCLUSIVE_NOW = 6
const PIPE_FLAGS = 0o2004000 // O_CLOEXEC | O_NONBLOCK
const OPEN_FLAGS = PIPE_FLAGS | constants.O_RDWR
const PUNCH_HOLE_KEEP_SIZE = 3

export function openSystem(koffi: Koffi): System {
  const futex = (FUTEX as Record<string, number>)[process.arch]
  if (futex === undefined) throw new Error(`the architecture ${process.arch} is not known`)
  // So it is for a program with capabilities of its own: then no other process may open its descriptors.
  if (statSync('/proc/self').uid !== process.geteuid!())
    throw new Error('/proc/self belongs to another user, as for programs with file capabilities')
  const libc = koffi.load(null)
  const memfdCreate = libc.func('int memfd_create(const char *name, unsigned int flags)')
  const ftruncate = libc.func('int ftruncate(int fd, int64_t length)')
  const mmap = libc.func(
    'intptr_t mmap(intptr_t at, size_t length, int prot, int flags, int fd, int64_t offset)',
  )
  const fallocate = libc.func('int fallocate(int fd, int mode, int64_t from, int64_t bytes)')
  const munmap = libc.func('int munmap(intptr_t at, size_t length)')
  const flock = libc.func('int flock(int fd, int operation)')
  const pipe2 = libc.func('int pipe2(int *fds, int flags)')
  // Not by node:fs, which keeps book of a thread's descriptors, and would close the socket's a second time.
  const open = libc.func('int open(const char *path, int flags, ...)')
  const close = libc.func('int close(int fd)')
  const syscall = libc.func(
    'long syscall(long number, uint64_t word, int op, int value, void *timeout, void *word2, int value3)',
  )
  const failure = (what: string): Error => {
    const errno = koffi.errno()
    const code = getSystemErrorName(-errno)
    return Object.assign(new Error(`${what} failed: ${code}`), { code, errno: -errno, syscall: what })
  }
  const timeout = new BigInt64Array(2)
  return {
    createMemory(bytes) {
      const fd = memfdCreate('plait', MFD_CLOEXEC) as number
      if (fd < 0) throw failure('memfd_create')
      if (ftruncate(fd, bytes) === 0) return fd
      const error = failure('ftruncate')
      close(fd)
      throw error
    },
    map(fd, bytes) {
      const address = Number(mmap(0, bytes, PROT_READ_WRITE, MAP_SHARED_NORESERVE, fd, 0))
      if (address === -1) throw failure('mmap')
      return address
    },
    unmap: (address, bytes) => void munmap(address, bytes),
    futexWait(address, value, ms) {
      timeout[0] = BigInt(Math.floor(ms / 1000))
      timeout[1] = BigInt(Math.floor((ms % 1000) * 1e6))
      syscall(futex, address, FUTEX_WAIT, value, timeout, null, 0)
    },
    futexWake(address, count) {
      syscall(futex, address, FUTEX_WAKE, count, null, null, 0)
    },
    discard: (fd, from, bytes) => fallocate(fd, PUNCH_HOLE_KEEP_SIZE, from, bytes) === 0,
    bell() {
      const fds = new Int32Array(2)
      if (pipe2(fds, PIPE_FLAGS) !== 0) throw failure('pipe2')
      // Open for both: while its reader lives there is a writer, and the pipe never ends.
      const both = open(`/proc/self/fd/${fds[0]}`, OPEN_FLAGS) as number
      close(fds[0])
      close(fds[1])
      if (both < 0) throw failure('open of a pipe')
      return both
    },
    close: (fd) => void close(fd),
    namesFolder: '/dev/shm',
    pidNamespace: statSync('/proc/self/ns/pid', { throwIfNoEntry: false })?.ino ?? 0,
    tryLock: (fd) => flock(fd, LOCK_EXCLUSIVE_NOW) === 0,
    descriptorPath: (pid, fd) => `/proc/${pid}/fd/${fd}`,
  }
}

export const threads: Threads = {
  id() {
    try {
      return Number(readlinkSync('/proc/thread-self').split('/')[2]) // <pid>/task/<tid>
    } catch {
      return 0 // no /proc here
    }
  },
  started,
}

function started(pid: number, tid: number): number {
  let stat: string
  try {
    stat = readFileSync(`/proc/${pid}/task/${tid}/stat`, 'latin1')
  } catch {
    return 0
  }
  // The name, in parentheses, may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  if (fields[0] === 'Z' || fields[0] === 'X') return 0
  return Number(BigInt.asIntN(32, BigInt(fields[19]!))) | 1
}
