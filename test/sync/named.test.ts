/**
 * SharedMemory: names, who finds them, and that nothing is left, whoever is killed. Programs that know
 * nothing of each other are processes that get a name and nothing else.
 */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { ClosedError, PlaitError } from '#plait/core/errors.js'
import { region } from '#plait/memory/region.js'
import { Queue } from '#plait/queue/queue.js'
import { SharedMemory } from '#plait/sync/open.js'
import { Process } from '#plait/worker/process.js'
import { checkLeaks } from '../leaks.ts'
import { mapped } from './kit.ts'

// One more than elsewhere: who rings its own bell opens it a second time.
checkLeaks(4)

const program = fileURLToPath(new URL('./named-program.js', import.meta.url))
const skip = !mapped
let count = 0
const freshName = (): string => `plait-test ${process.pid}.${++count}`
const entriesOf = (name: string): string[] =>
  readdirSync('/dev/shm').filter((file) => file.includes(`.${encodeURIComponent(name)}.`))
const missing = { code: 'ENOENT' }

/** Another program; resolves when it has done what it was told, and lives on. */
async function other(...args: string[]): Promise<{ said: string; kill(): Promise<void> }> {
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [said] = (await once(child.stdout, 'data')) as [Buffer]
  return {
    said: said.toString().trim(),
    async kill() {
      child.kill('SIGKILL')
      await once(child, 'exit')
    },
  }
}

test('create, attach, unlink, close', { skip }, () => {
  const name = freshName()
  const mine = SharedMemory.create({ size: 100_001, name })
  assert.equal(mine.name, name)
  assert.equal(mine.size, 100_001)
  assert.equal(mine.buffer.byteLength, 100_001)
  assert.throws(() => SharedMemory.create({ size: 1, name }), { code: 'EEXIST' })
  const same = SharedMemory.attach(name)
  assert.equal(same.size, 100_001)
  new Uint8Array(mine.buffer)[100_000] = 9
  assert.equal(new Uint8Array(same.buffer)[100_000], 9)
  mine.close()
  mine.close()
  assert.throws(() => mine.buffer, ClosedError)
  SharedMemory.attach(name).close()
  same.unlink()
  assert.throws(() => SharedMemory.attach(name), missing)
  assert.throws(() => same.unlink(), missing)
  // The name is free, the memory is still there.
  const next = SharedMemory.create({ size: 1, name })
  assert.equal(new Uint8Array(same.buffer)[100_000], 9)
  same.close()
  next[Symbol.dispose]()
  assert.throws(() => SharedMemory.attach(name), missing, 'the last one that had it is closed')
  next.unlink()
  assert.deepEqual(entriesOf(name), [])
})

test('names are made up where none is given', { skip }, () => {
  const [one, two] = [SharedMemory.create({ size: 1 }), SharedMemory.create({ size: 1 })]
  assert.notEqual(one.name, two.name)
  one.close()
  two.close()
})

test('bad names and sizes', { skip }, () => {
  for (const size of [0, -1, 1.5]) assert.throws(() => SharedMemory.create({ size }), RangeError)
  assert.throws(() => SharedMemory.create({ size: '1' as never }), TypeError)
  assert.throws(() => SharedMemory.create(undefined as never), TypeError)
  for (const name of ['', 'a/b', 'a\0b', '\uD800', 'x'.repeat(300)]) {
    assert.throws(() => SharedMemory.create({ size: 1, name }), RangeError)
    assert.throws(() => SharedMemory.attach(name), RangeError)
  }
  assert.throws(() => SharedMemory.attach(undefined as never), TypeError)
  assert.throws(() => SharedMemory.attach(7 as never), TypeError)
  assert.throws(() => SharedMemory.attach('there is none'), missing)
  // One name is not a part of another.
  const odd = SharedMemory.create({ size: 1, name: 'a.1.2.3.4 ü%2F-' })
  assert.throws(() => SharedMemory.attach('a'), missing)
  SharedMemory.attach(odd.name).close()
  odd.close()
})

test('too large: an error and no entry', { skip }, () => {
  const name = freshName()
  const refused = (error: Error & { code?: string }): boolean =>
    error instanceof RangeError || error.code === 'ENOMEM'
  assert.throws(() => SharedMemory.create({ size: 2 ** 52, name }), refused)
  assert.deepEqual(entriesOf(name), [])
})

test('gone before it was received, and only that item', { skip }, async () => {
  const queue = new Queue()
  const memory = SharedMemory.create({ size: 1 })
  queue.putSync(memory)
  queue.putSync('next')
  memory.unlink()
  await assert.rejects(queue.get(), { code: 'ENOENT', message: new RegExp(`Process ${process.pid}, which`) })
  assert.equal(await queue.get(), 'next')
  memory.close()
  queue.close()
})

test('it travels to a process', { skip }, async () => {
  const memory = SharedMemory.create({ size: 8 })
  const child = new Process({
    target: (same: SharedMemory) => {
      new Uint8Array(same.buffer)[1] = 5
      return same.name
    },
    args: [memory],
  }).start()
  assert.equal(await child.result, memory.name)
  assert.equal(new Uint8Array(memory.buffer)[1], 5)
  await child.join()
  memory.close()
  assert.deepEqual(entriesOf(memory.name), [])
})

test('an unrelated program finds it, and keeps it when this one closes it', { skip }, async () => {
  const name = freshName()
  const mine = SharedMemory.create({ size: 3, name })
  const program = await other('attach', name)
  assert.equal(program.said, 'attached 3')
  assert.equal(new Uint8Array(mine.buffer)[0], 77)
  mine.close()
  const again = SharedMemory.attach(name)
  assert.equal(new Uint8Array(again.buffer)[0], 77)
  again.close()
  await program.kill()
  assert.throws(() => SharedMemory.attach(name), missing)
})

test('what killed programs leave is nothing that anybody takes for memory', { skip }, async () => {
  const name = freshName()
  const programs = [await other('create', name), await other('attach', name)]
  assert.throws(() => SharedMemory.create({ size: 1, name }), { code: 'EEXIST' })
  for (const program of programs) await program.kill()
  assert.throws(() => SharedMemory.attach(name), missing)
  assert.deepEqual(entriesOf(name), [], 'looking for it has swept it')
  const next = await other('create', name)
  await next.kill()
  const mine = SharedMemory.create({ size: 1, name })
  assert.equal(entriesOf(name).length, 1)
  mine.close()
})

test('what a killed child leaves is taken away by its parent', { skip }, async () => {
  const name = freshName()
  const child = new Process({
    target: async (named: string) => {
      SharedMemory.create({ size: 1, name: named })
      await new Promise((resolve) => setTimeout(resolve, 60_000))
    },
    args: [name],
  }).start()
  while (entriesOf(name).length === 0) await new Promise(setImmediate)
  child.kill()
  await child.join()
  assert.deepEqual(entriesOf(name), [])
})

test('what lives in another container is left alone, and has names of its own', { skip }, () => {
  const name = freshName()
  const mine = SharedMemory.create({ size: 1, name })
  const [own] = entriesOf(name)
  // The same, as a container whose pids are others would have it: here there is no such process.
  const [, uid, namespace] = own.split('.')
  const foreign = own.replace(`plait.${uid}.${namespace}.`, `plait.${uid}.${Number(namespace) + 1}.`)
  mine.close()
  const path = `/dev/shm/${foreign.replace(`.${process.pid}.`, '.1073741824.')}`
  writeFileSync(path, '')
  try {
    SharedMemory.create({ size: 1 }).close()
    assert.throws(() => SharedMemory.attach(name), missing)
    SharedMemory.create({ size: 1, name }).close()
    assert.ok(existsSync(path))
  } finally {
    rmSync(path, { force: true })
  }
})

test('a folder that takes no entry costs no memory', { skip }, () => {
  const memories = (): number =>
    readdirSync('/proc/self/fd').filter((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`).includes('memfd:plait')
      } catch {
        return false // that of the listing itself
      }
    }).length
  const before = memories()
  // Longer than what a file may be called, as a full or a read-only folder would refuse it.
  const system = region().system!
  const { pidNamespace } = system
  Object.assign(system, { pidNamespace: '1'.repeat(250) })
  try {
    assert.throws(() => SharedMemory.create({ size: 1 }), { code: 'ENAMETOOLONG' })
  } finally {
    Object.assign(system, { pidNamespace })
  }
  assert.equal(memories(), before)
})

test('of many that create one name at once, one does', { skip }, async () => {
  for (let round = 0; round < 3; round++) {
    const name = freshName()
    const programs = await Promise.all([1, 2, 3, 4].map(() => other('create', name)))
    const said = programs.map((program) => program.said).sort()
    assert.deepEqual(said, ['EEXIST', 'EEXIST', 'EEXIST', 'created'])
    for (const program of programs) await program.kill()
    // Whoever makes anything takes away what they have left.
    SharedMemory.create({ size: 1 }).close()
    assert.deepEqual(entriesOf(name), [])
  }
})

test('without shared memory it says why', { skip }, () => {
  const { stdout } = spawnSync(process.execPath, [program, 'create', 'x'], {
    env: { ...process.env, PLAIT_TRANSPORT: 'stream' },
    encoding: 'utf8',
    timeout: 20_000,
  })
  assert.match(stdout, /PLAIT_TRANSPORT is stream/)
})

test('a child ends as ever where nothing is shared', { skip }, () => {
  const { stdout, status } = spawnSync(process.execPath, [program, 'child'], {
    env: { ...process.env, PLAIT_TRANSPORT: 'stream' },
    encoding: 'utf8',
    timeout: 20_000,
  })
  assert.deepEqual([stdout.trim(), status], ['its result 0', 0])
})

test('where threads alone share memory', { skip: mapped }, () => {
  assert.throws(() => SharedMemory.create({ size: 1 }), PlaitError)
})
