/**
 * What shared memory asks of Linux, through koffi: memory without a name, its mapping, sleeping on a word of
 * it, pipes, and thread ids. All calls are synchronous and short, or sleep for a given time. os.darwin.ts has
 * the same exports.
 */
import { readFileSync } from 'node:fs'
import type { Koffi } from './koffi.ts'

export interface System {
  /** A new piece of memory, sparse and zero, as a descriptor that execve() closes. */
  createMemory(bytes: number): number
  /** Maps it whole; the address. Never unmapped: views on it may live as long as the thread. */
  map(fd: number, bytes: number): number
  /** Sleeps while the word at `address` is `value`, at most `ms`. */
  futexWait(address: number, value: number, ms: number): void
  futexWake(address: number, count: number): void
  /** A pipe whose both ends never block. */
  pipe(): [read: number, write: number]
  threadId(): number
  /**
   * When the thread began, as a 32 bit number that another thread with this id will not have; 0 where there
   * is no such thread, or where it has ended and only waits to be collected.
   */
  started(pid: number, tid: number): number
  /** The path under which another process opens a descriptor of `pid`. */
  descriptorPath(pid: number, fd: number): string
}

const SYS = {
  x64: { futex: 202, gettid: 186 },
  arm64: { futex: 98, gettid: 178 },
} as const

const FUTEX_WAIT = 0
const FUTEX_WAKE = 1
const PROT_READ_WRITE = 3
const MAP_SHARED_NORESERVE = 0x4001
const MFD_CLOEXEC = 1
const PIPE_FLAGS = 0o2004000 // O_CLOEXEC | O_NONBLOCK

export function openSystem(koffi: Koffi): System {
  const numbers = (SYS as Record<string, { futex: number; gettid: number }>)[process.arch]
  if (numbers === undefined) throw new Error(`the architecture ${process.arch} is not known`)
  const libc = koffi.load(null)
  const memfdCreate = libc.func('int memfd_create(const char *name, unsigned int flags)')
  const ftruncate = libc.func('int ftruncate(int fd, int64_t length)')
  const mmap = libc.func(
    'intptr_t mmap(intptr_t at, size_t length, int prot, int flags, int fd, int64_t offset)',
  )
  const pipe2 = libc.func('int pipe2(int *fds, int flags)')
  const syscall = libc.func(
    'long syscall(long number, uint64_t word, int op, int value, void *timeout, void *word2, int value3)',
  )
  const failure = (what: string): Error => new Error(`${what} failed: errno ${koffi.errno()}`)
  const timeout = new BigInt64Array(2)
  return {
    createMemory(bytes) {
      const fd = memfdCreate('plait', MFD_CLOEXEC) as number
      if (fd < 0) throw failure('memfd_create')
      if (ftruncate(fd, bytes) !== 0) throw failure('ftruncate')
      return fd
    },
    map(fd, bytes) {
      const address = Number(mmap(0, bytes, PROT_READ_WRITE, MAP_SHARED_NORESERVE, fd, 0))
      if (address === -1) throw failure('mmap')
      return address
    },
    futexWait(address, value, ms) {
      timeout[0] = BigInt(Math.floor(ms / 1000))
      timeout[1] = BigInt(Math.floor((ms % 1000) * 1e6))
      syscall(numbers.futex, address, FUTEX_WAIT, value, timeout, null, 0)
    },
    futexWake(address, count) {
      syscall(numbers.futex, address, FUTEX_WAKE, count, null, null, 0)
    },
    pipe() {
      const fds = new Int32Array(2)
      if (pipe2(fds, PIPE_FLAGS) !== 0) throw failure('pipe2')
      return [fds[0]!, fds[1]!]
    },
    threadId: () => Number(syscall(numbers.gettid, 0, 0, 0, null, null, 0)),
    started,
    descriptorPath: (pid, fd) => `/proc/${pid}/fd/${fd}`,
  }
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
