/**
 * The table of failures: every way in which a task, its worker, its pool or the channel between them can
 * fail, in every state of a task, with what comes of it. Data: failures-walk.ts brings each cell about and
 * asserts it, failures-page.ts writes docs/failures.md from it.
 */
import {
  broken,
  elsewhere,
  error,
  killed,
  lost,
  terminated,
  value,
  type Outcome,
} from './failures-outcomes.js'
import { isDead, isStopped, stand } from './failures-stage.js'
import type { Host, Scene, Setting, State } from './failures-stage.js'
import { secondFails, type Fault } from './failures-worker.js'

/** An outcome, or why there is no such cell. */
type Cell = Outcome | string

export interface Failure {
  readonly what: string
  /** How it comes about; made anew for every cell. */
  readonly make: () => { readonly setting?: Partial<Setting>; strike(scene: Scene, state: State): void }
  readonly cells: Readonly<Record<State, Cell>>
  /** Of the task before it, where there is one: its value, unless it is the one that fails. */
  readonly before?: Outcome
  /** Of one that is held behind that; as a rule as the watched task in the same state. */
  readonly next?: Outcome
  /** Of the worker and the pool. */
  readonly rest: string
  readonly restarts?: number | Readonly<Record<State, number>>
  readonly state?: 'running' | 'closed' | 'terminated' | 'broken'
  /** The event loop stands until the worker is dead, or has reached this. */
  readonly stands?: 'dead' | (string & {})
  readonly undo?: () => void
  /** Why no thread fails so, at all or in these states. */
  readonly notInThreads?: string | Partial<Record<State, string>>
  /** It waits for seconds, so its cells are walked at the same time. */
  readonly slow?: true
  /** Ways to submit that know no such thing. */
  readonly except?: readonly string[]
}

// ── states ──

const all = (cell: Cell): Record<State, Cell> => ({
  queued: cell,
  sent: cell,
  running: cell,
  'on its way': cell,
})
/** Only what runs is hurt: what has not begun runs elsewhere, what has ended is there. */
const runningOnly = (running: Cell, waiting: Cell = elsewhere): Record<State, Cell> => ({
  ...all(waiting),
  running,
  'on its way': value,
})

// ── ways to fail ──

const { execPath } = process

/** The worker is struck from outside, whatever it is at. */
const outside =
  (strike: (pid: number) => void): Failure['make'] =>
  () => ({ strike: ({ pid }) => strike(pid) })

/** A task misbehaves: the watched one, or the one that runs before it. */
const inside =
  (fault: Fault, setting: Partial<Setting> = {}): Failure['make'] =>
  () => ({ setting: { fault, ...setting }, strike: (scene) => scene.release() })

/** Something is done to the pool, then the task may end. */
const toPool =
  (strike: (host: Host) => void): Failure['make'] =>
  () => ({
    strike(scene) {
      strike(scene.host)
      scene.release()
    },
  })

/** A second worker is about to start, and does not; its failure is there before anything is read. */
const second =
  (how: 'throw' | 'hang' | 'exit', startTimeout = 60_000): Failure['make'] =>
  () => ({
    setting: {
      processes: 2,
      options: (folder) => ({ startTimeout, initializer: secondFails, initargs: [folder, how] }),
    },
    strike: ({ gate }) => gate.open('second-go'),
  })

const replaced = { rest: 'the worker is replaced', restarts: 1 }
const lives = { rest: 'the worker lives' }
const goesOn = 'the worker lives, the pool goes on'

const bySignal = 'a signal is for the whole process'
const readFirst = 'what was sent is read before a loop begins that a task has left behind'

// ── the table ──

export const failures: readonly Failure[] = [
  {
    what: 'the worker is killed (SIGKILL)',
    notInThreads: bySignal,
    make: outside((pid) => process.kill(pid, 'SIGKILL')),
    cells: runningOnly(killed),
    before: killed,
    ...replaced,
    stands: 'dead',
  },
  {
    what: 'the worker is stopped (SIGSTOP), then killed',
    notInThreads: bySignal,
    make: outside((pid) => {
      process.kill(pid, 'SIGSTOP')
      stand(() => isStopped(pid), 'the stop')
      process.kill(pid, 'SIGKILL')
    }),
    cells: runningOnly(killed),
    before: killed,
    ...replaced,
    stands: 'dead',
  },
  {
    what: 'the worker is killed, and the pool has `retries`',
    notInThreads: bySignal,
    make: () => ({
      setting: { options: () => ({ retries: 1 }) },
      strike(scene) {
        process.kill(scene.pid, 'SIGKILL')
        stand(() => isDead(scene.pid), 'the death')
        scene.release()
      },
    }),
    cells: { ...all(elsewhere), 'on its way': value },
    before: elsewhere,
    rest: 'the worker is replaced; the task counts once',
    restarts: 1,
    stands: 'dead',
  },
  {
    what: 'the task calls `process.exit(7)`',
    make: inside('exit'),
    cells: runningOnly(lost('ended with exit code 7')),
    before: lost('ended with exit code 7'),
    ...replaced,
    stands: 'dead',
  },
  {
    what: 'an error is thrown outside of any task',
    make: inside('uncaught'),
    cells: runningOnly(lost('it had an error outside of any task')),
    before: lost('it had an error outside of any task'),
    ...replaced,
    stands: 'dead',
  },
  {
    what: 'a promise rejects outside of any task',
    make: inside('rejection'),
    cells: runningOnly(lost('it had an error outside of any task')),
    before: lost('it had an error outside of any task'),
    ...replaced,
    stands: 'dead',
  },
  {
    what: 'the worker is out of memory',
    notInThreads: 'how much a thread may have is said by its resourceLimits: see thread-ends.test.ts',
    make: inside('memory', { options: () => ({ execArgv: ['--max-old-space-size=24'] }) }),
    cells: runningOnly(lost('native code crashed, or the heap was full')),
    before: lost('native code crashed, or the heap was full'),
    ...replaced,
    stands: 'dead',
  },
  {
    what: 'an endless loop, in a task with `timeout`',
    make: inside('loop', { before: { timeout: 1000, grace: 0 }, task: { timeout: 1000, grace: 0 } }),
    cells: {
      ...runningOnly(error('TimeoutError', 'ran longer than 1000 ms')),
      sent: 'a task with `timeout` is given to idle workers only',
      'on its way': 'it has ended',
    },
    before: error('TimeoutError', 'ran longer than 1000 ms'),
    next: elsewhere,
    rest: 'the worker is killed after `grace`, and replaced',
    restarts: 1,
  },
  {
    what: 'the worker is stopped (SIGSTOP), in a task with `timeout`',
    notInThreads: bySignal,
    slow: true,
    make: () => ({
      setting: {
        options: () => ({ startTimeout: 6000 }),
        before: { timeout: 1000, grace: 0 },
        task: { timeout: 1000, grace: 0 },
      },
      strike: ({ pid }) => void process.kill(pid, 'SIGSTOP'),
    }),
    cells: {
      ...runningOnly(error('TimeoutError', 'ran longer than 1000 ms')),
      sent: 'a task with `timeout` is given to idle workers only',
    },
    before: error('TimeoutError', 'ran longer than 1000 ms'),
    next: elsewhere,
    rest: 'the worker is killed after `grace`, or as in the next row, and replaced',
    restarts: 1,
  },
  {
    what: 'an endless loop that a task left behind',
    notInThreads: { queued: readFirst, sent: readFirst },
    slow: true,
    make: inside('leftLoop', { options: () => ({ startTimeout: 6000 }) }),
    cells: { ...runningOnly('it has ended'), 'on its way': value },
    before: value,
    next: elsewhere,
    rest: 'others do its work; it is killed when it shows no life for 10 s, and replaced',
    restarts: 1,
  },
  {
    what: 'the task closes the channel',
    notInThreads: 'no descriptor leads to its channel',
    slow: true,
    stands: 'task-struck',
    make: inside('closeChannel'),
    cells: runningOnly(lost('it closed its control stream')),
    before: lost('it closed its control stream'),
    rest: 'the worker is killed after 3 s, and replaced',
    restarts: 1,
  },
  {
    what: 'the task writes garbage into the channel',
    notInThreads: 'no descriptor leads to its channel',
    make: inside('garbage'),
    cells: runningOnly(lost('garbage in the stream')),
    before: lost('garbage in the stream'),
    rest: 'the worker is killed, and replaced',
    restarts: 1,
  },
  {
    what: 'the task throws',
    make: inside('plainError'),
    cells: { ...all(value), running: error('RangeError', 'as thrown'), 'on its way': 'it has ended' },
    before: error('RangeError', 'as thrown'),
    ...lives,
  },
  {
    what: 'the result cannot travel',
    make: inside('badResult'),
    cells: {
      ...all(value),
      running: error('SerializationError', 'WeakMap'),
      'on its way': 'it has travelled',
    },
    before: error('SerializationError', 'WeakMap'),
    ...lives,
  },
  {
    what: 'the error cannot travel',
    make: inside('badError'),
    cells: {
      ...all(value),
      running: error('RangeError', 'no socket travels'),
      'on its way': 'it has ended',
    },
    before: error('RangeError', 'no socket travels'),
    rest: 'the worker lives; the error comes without what cannot travel',
  },
  {
    what: 'the error is of a class that the caller cannot import',
    make: inside('foreignError'),
    cells: {
      ...all(value),
      running: error('Error', 'only workers can import this'),
      'on its way': 'it has ended',
    },
    before: error('Error', 'only workers can import this'),
    ...lives,
  },
  {
    what: 'a callback throws',
    make: () => ({
      setting: {
        callback: () => {
          throw new Error('a callback that throws')
        },
      },
      strike: (scene) => scene.release(),
    }),
    cells: all(value),
    rest: `${goesOn}; a process warning says what was thrown`,
  },
  {
    what: '`signal` aborts',
    make: () => {
      const controller = new AbortController()
      return {
        setting: { task: { signal: controller.signal, grace: 0 } },
        strike(scene, state) {
          controller.abort()
          if (state !== 'running') scene.release()
        },
      }
    },
    cells: all(error('AbortError', 'This operation was aborted')),
    before: value,
    next: value,
    rest: 'the worker lives; it is killed where the task runs and does not end within `grace`',
    restarts: { queued: 0, sent: 0, running: 1, 'on its way': 0 },
  },
  {
    what: '`close()`',
    make: toPool((host) => host.close()),
    cells: all(value),
    rest: 'the worker ends after the last task; the pool takes no more',
    state: 'closed',
  },
  {
    what: '`terminate()`',
    make: toPool((host) => host.terminate()),
    cells: all(terminated),
    before: terminated,
    rest: 'the worker gets SIGTERM, and SIGKILL 500 ms later; the pool takes no more',
    state: 'terminated',
  },
  {
    what: '`await using` leaves its block',
    make: toPool((host) => void host.dispose?.()),
    cells: all(terminated),
    before: terminated,
    except: ['submit'],
    rest: 'as after `terminate()`, and the block waits for the end of the worker; an executor is closed',
    state: 'terminated',
  },
  {
    what: 'the initializer throws',
    notInThreads: {
      'on its way': 'which of two threads is heard first is not the order in which they spoke',
    },
    make: second('throw'),
    stands: 'second-failed',
    cells: { ...all(broken('no database')), 'on its way': value },
    before: broken('no database'),
    rest: 'the pool is broken, its workers end; `cause` is what was thrown',
    state: 'broken',
  },
  {
    what: 'the initializer never returns',
    slow: true,
    make: second('hang', 10_000),
    cells: { ...all(broken('did not start within 10000 ms')), 'on its way': value },
    before: broken('did not start within 10000 ms'),
    rest: 'the pool is broken after `startTimeout`, its workers end',
    state: 'broken',
  },
  {
    what: 'a worker ends before it is ready, four times in a row',
    make: second('exit'),
    cells: { ...all(broken('the last by exit code 9')), 'on its way': value },
    before: broken('the last by exit code 9'),
    rest: 'tried again after pauses that grow; then the pool is broken, its workers end',
    state: 'broken',
  },
  {
    what: 'the system refuses a new process, four times in a row',
    notInThreads: 'it starts no process',
    make: () => ({
      ...second('hang')(),
      strike({ host, pid }) {
        Object.defineProperty(process, 'execPath', { value: '/nonexistent', configurable: true })
        const other = host.statistics().workers.find((worker) => worker.pid !== pid)!
        process.kill(other.pid, 'SIGKILL')
      },
    }),
    undo: () =>
      Object.defineProperty(process, 'execPath', { value: execPath, configurable: true, writable: true }),
    cells: { ...all(broken('the system refused a new process')), 'on its way': value },
    before: broken('the system refused a new process'),
    rest: 'tried again after pauses that grow; then the pool is broken, its workers end',
    state: 'broken',
  },
]

/** Walked by a program that is killed: nobody is left who could be told. */
export const parentKilled = {
  what: 'the program itself is killed (SIGKILL)',
  cells: all('nobody is left to be told'),
  rest: 'its workers end within a second, whatever they are at',
} satisfies Pick<Failure, 'what' | 'cells' | 'rest'>
