/**
 * Threads of a pool that are ended at any moment of their life: while they boot, open the memory, wait, or
 * write a record. Every task settles, a death costs what its thread had begun and nothing else, nothing is
 * left in the memory; and process.exit() ends the program whatever they are doing. In programs of their own,
 * since what is feared ends a whole process. The seed is another one each time; PLAIT_SEED=n runs it again.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readlinkSync } from 'node:fs'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { PoolTerminatedError, WorkerLostError } from '#plait/core/errors.js'
import { read, walk } from '#plait/memory/heap.js'
import { H_KIND, kinds } from '#plait/memory/layout.js'
import { participantsOf } from '#plait/memory/participants.js'
import { threads } from '#plait/pool/bodies.js'
import { ThreadPool } from '#plait/pool/thread-pool.js'
import { Event } from '#plait/sync/event.js'
import type { WorkerHandle } from '#plait/worker/handle.js'
import { random } from './chaos-plan.js'

type Next = () => number

const seed = Number(process.env['PLAIT_SEED'] ?? Math.floor(Math.random() * 1e9))
/** A pool whose threads go over to their rings before their first task. */
const early = { ...process.env, PLAIT_TRANSPORT: 'mapped' }
const rounds = 20
const tasks = 300

/** Small, large, and larger than the ring; some wait, in the thread or in its event loop. */
function answer(n: number, event: Event): unknown {
  if (n % 23 === 0) return sleep(1, n)
  if (n % 29 === 0) event.waitSync({ timeout: 1 })
  return n % 97 === 0 ? new Uint8Array(400_000).fill(n) : n % 31 === 0 ? `${n} `.repeat(2000) : n
}

function check(n: number, value: unknown): void {
  if (n % 23 !== 0 && n % 97 === 0) assert.ok((value as Uint8Array).every((byte) => byte === n % 256))
  else assert.equal(value, n % 23 !== 0 && n % 31 === 0 ? `${n} `.repeat(2000) : n)
}

/** What the pools of this program start. */
function watchStarts(): WorkerHandle[] {
  const started: WorkerHandle[] = []
  const { start } = threads
  Object.assign(threads, {
    start(...args: Parameters<typeof start>) {
      const handle = start(...args)
      started.push(handle)
      return handle
    },
  })
  return started
}

/** Milliseconds from the start of a pool to the end of its first tasks, once all files have been read. */
async function lifetime(event: Event): Promise<number> {
  let life = 0
  for (let i = 0; i < 2; i++) {
    const begun = performance.now()
    await using pool = new ThreadPool({ processes: 2, env: early })
    await pool.starmap(
      answer,
      Array.from({ length: 10 }, () => [31, event] as const),
    )
    life = performance.now() - begun
  }
  return life
}

/** One pool, two or three deaths in it. */
async function killSome(next: Next, life: number, event: Event, started: WorkerHandle[]): Promise<void> {
  const first = started.length
  await using pool = new ThreadPool({ processes: 2, ...(next() < 0.5 && { env: early }) })
  const results = Array.from({ length: tasks }, (_, n) => pool.apply(answer, [n, event]))
  const settled = Promise.allSettled(results)
  let kills = 0
  for (let i = 0; i < 2; i++) {
    await sleep(1.2 * next() * life)
    const alive = started.slice(first).filter(({ exit }) => exit === null)
    for (const handle of alive.slice(0, i === 0 && next() < 0.5 ? 2 : 1)) kills += handle.kill() ? 1 : 0
  }
  if (next() < 0.2) pool.terminate()
  let lost = 0
  for (const [n, outcome] of (await settled).entries())
    if (outcome.status === 'fulfilled') check(n, outcome.value)
    else if (outcome.reason instanceof WorkerLostError) lost++
    else if (!(outcome.reason instanceof PoolTerminatedError)) throw outcome.reason
  assert.ok(lost <= kills, `${lost} tasks were lost with ${kills} threads`)
}

/** Kinds of what is in use, but for the nodes, which each slot keeps for its next owner. */
function blocks(): number[] {
  const found = Array.from(walk(), (address) => read(address, H_KIND))
  return found.filter((kind) => kind !== kinds.free && kind !== kinds.nodes).sort((a, b) => a - b)
}

/** But for those of modules that a thread was importing when it was ended: Node leaves them. */
function descriptors(): string[] {
  const open = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).replace(/\d+/, '')
    } catch {
      return '' // of the listing itself
    }
  })
  return open.filter((path) => path !== '' && !path.endsWith('.js')).sort()
}

const programs: Record<string, (next: Next) => Promise<void>> = {
  async kills(next) {
    const event = new Event()
    const started = watchStarts()
    const life = await lifetime(event)
    const opened = descriptors()
    const before = blocks()
    for (let round = 0; round < rounds; round++) await killSome(next, life, event, started)
    assert.equal(participantsOf(process.pid).length, 1)
    assert.deepEqual(blocks(), before)
    assert.deepEqual(descriptors(), opened)
  },

  async exits(next) {
    const event = new Event()
    const life = await lifetime(event)
    for (let i = 0; i < 2; i++) {
      const pool = new ThreadPool({ processes: 2, ...(i === 0 && { env: early }) })
      for (let n = 0; n < tasks; n++) pool.apply(answer, [n, event]).catch(() => {})
      await sleep(0.6 * next() * life)
    }
    process.on('exit', () => process.stdout.write('well'))
    process.exit()
  },
}

async function run(program: string, seed: number): Promise<void> {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), program], {
    env: { ...process.env, PLAIT_SEED: String(seed) },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (said += text))
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
  assert.deepEqual([code, signal, said], [0, null, 'well'], `PLAIT_SEED=${seed}`)
}

const program = programs[process.argv[2] ?? '']
if (program !== undefined) {
  await program(random(seed))
  process.stdout.write('well')
} else {
  test(`threads of a pool are ended at any moment (PLAIT_SEED=${seed})`, () => run('kills', seed))

  test(`a program ends whatever its threads are doing (PLAIT_SEED=${seed})`, async () => {
    for (let i = 0; i < 6; i++) await run('exits', seed + i)
  })
}
