/**
 * The second table of failures: inputs that fail, at each moment, and what comes of the call that reads
 * them. Data: failures-inputs.test.ts walks it, failures-page.ts writes it down.
 */
import type { Pool } from 'plait'

/** What an input of three items does at its moments, beside giving them. */
export interface Script {
  open?(): void
  /** Before it gives item `n`, from 1. */
  next?(n: number): void
  /** Never answers when it is asked for item `n`. */
  silent?: number
  return?(): void
}

/** The values that were handed out, then the error, if any: by its name and a part of its message. */
export interface Expected {
  readonly values: readonly number[]
  readonly error?: readonly [name: string, gist: string]
  /** Tasks that ended. */
  readonly tasks?: number
}

export interface InputFailure {
  readonly what: string
  readonly kinds: readonly ('sync' | 'async')[]
  readonly script: (pool: Pool, abort: () => void) => Script
  /** When it stands still. */
  readonly strike?: (pool: Pool, abort: () => void) => void
  readonly map: Expected
  readonly imap: Expected
  /** The consumer leaves after so many results. */
  readonly leaves?: number
}

const fail = (): never => {
  throw new RangeError('no more of this')
}
const failed = ['RangeError', 'no more of this'] as const
const aborted = ['AbortError', 'This operation was aborted'] as const
const terminated = ['PoolTerminatedError', 'was terminated before'] as const
const both = ['sync', 'async'] as const

export const inputFailures: readonly InputFailure[] = [
  {
    what: 'throws when it is opened',
    kinds: both,
    script: () => ({ open: fail }),
    map: { values: [], error: failed, tasks: 0 },
    imap: { values: [], error: failed, tasks: 0 },
  },
  {
    what: 'throws at its first item',
    kinds: both,
    script: () => ({ next: fail }),
    map: { values: [], error: failed, tasks: 0 },
    imap: { values: [], error: failed, tasks: 0 },
  },
  {
    what: 'throws at its third item',
    kinds: both,
    script: () => ({ next: (n) => (n === 3 ? fail() : undefined) }),
    map: { values: [], error: failed, tasks: 0 },
    imap: { values: [1, 2], error: failed, tasks: 2 },
  },
  {
    what: 'throws when it is closed',
    kinds: both,
    script: () => ({ return: fail }),
    leaves: 1,
    map: { values: [1, 2, 3], tasks: 3 },
    imap: { values: [1], error: failed },
  },
  {
    what: 'calls `terminate()` at its third item',
    kinds: both,
    script: (pool) => ({ next: (n) => (n === 3 ? pool.terminate() : undefined) }),
    map: { values: [], error: terminated, tasks: 0 },
    imap: { values: [], error: terminated },
  },
  {
    what: 'calls `close()` at its third item',
    kinds: both,
    script: (pool) => ({ next: (n) => (n === 3 ? pool.close() : undefined) }),
    map: { values: [1, 2, 3], tasks: 3 },
    imap: { values: [1, 2, 3], tasks: 3 },
  },
  {
    what: 'aborts the `signal` at its third item',
    kinds: both,
    script: (_, abort) => ({ next: (n) => (n === 3 ? abort() : undefined) }),
    map: { values: [], error: aborted, tasks: 0 },
    imap: { values: [], error: aborted },
  },
  {
    what: 'never answers, until `terminate()`',
    kinds: ['async'],
    script: () => ({ silent: 1 }),
    strike: (pool) => pool.terminate(),
    map: { values: [], error: terminated, tasks: 0 },
    imap: { values: [], error: terminated, tasks: 0 },
  },
  {
    what: 'never answers, until the `signal` aborts',
    kinds: ['async'],
    script: () => ({ silent: 1 }),
    strike: (_, abort) => abort(),
    map: { values: [], error: aborted, tasks: 0 },
    imap: { values: [], error: aborted, tasks: 0 },
  },
]
