/**
 * The region and its participants: inherited by processes, threads and grandchildren; what there is where it
 * cannot be mapped; slots that are claimed, refused, and used again when their owners died.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { test } from 'node:test'
import { load } from '#plait/memory/atomics.js'
import { cellWord, isHeld, makeCell, release, send } from '#plait/memory/holders.js'
import { kinds, slots } from '#plait/memory/layout.js'
import { isAlive, isKnown, me, participantsOf, slotOf } from '#plait/memory/participants.js'
import { region, sharedRegion, unmappedReason } from '#plait/memory/region.js'
import { checkLeaks } from '../leaks.ts'
import { process as start, reached, thread } from './children.ts'
import * as jobs from './jobs.ts'

checkLeaks()

async function program(mode: string, transport = '', limit = ''): Promise<Record<string, unknown>> {
  const file = fileURLToPath(new URL('./program.js', import.meta.url))
  const env = { ...process.env, PLAIT_TRANSPORT: transport }
  const args = ['-c', `${limit || ':'}; exec "$@"`, 'sh', process.execPath, file, mode]
  const { stdout } = await promisify(execFile)('sh', args, { env })
  return JSON.parse(stdout) as Record<string, unknown>
}

test('processes, threads and grandchildren see one memory', async () => {
  assert.equal(unmappedReason(), undefined)
  assert.notEqual(sharedRegion('a Lock').system, null)
  const cell = makeCell(kinds.lock, 4)
  for (let i = 0; i < 3; i++) send(cell)
  assert.equal(await start(jobs.sharedCell, cell).result, 0)
  assert.equal(await thread(jobs.sharedCell, cell).result, 1)
  const through = start(jobs.grandchild, cell)
  assert.equal(await through.result, 2)
  await through.join()
  assert.equal(load(region().words, cellWord(cell)), 3)
  assert.ok(isHeld(cell), 'it is held here')
  release(cell)
  assert.ok(!isHeld(cell), 'and by no other any more')
})

test('a participant is known while it lives, and each has a word of its own', async () => {
  const words = [jobs.blockWord(), jobs.blockWord()]
  const children = words.map((word) => start(jobs.attend, word))
  await Promise.all(words.map((word) => reached(word, 1)))
  const owners = children.map((child) => participantsOf(child.pid!))
  assert.deepEqual(
    owners.map((one) => one.length),
    [1, 1],
  )
  const [one, other] = owners.flat() as [number, number]
  assert.equal(new Set([one, other, me()]).size, 3)
  assert.ok(isAlive(one) && isAlive(other))
  children[0].kill()
  await children[0].join()
  assert.ok(!isKnown(one) && !isAlive(one), 'buried with its end')
  jobs.say(words[1], 2)
  assert.equal(await children[1].result, other)
  await children[1].join()
  assert.ok(!isKnown(other))
})

test('what a killed process held and owned comes back', async () => {
  const cell = makeCell(kinds.lock, 4)
  const word = jobs.blockWord()
  send(cell)
  const child = start(jobs.holdAndStay, word, cell)
  await reached(word, 1)
  release(cell)
  assert.ok(isHeld(cell))
  child.kill()
  await child.join()
  assert.ok(!isHeld(cell), 'its hold ended with it')
})

test('a table full of the dead has room, and its slots get new owners', async () => {
  const found = await program('full')
  assert.deepEqual(found, { slot: 0, generation: 6, free: slots - 1, reserve: 0 })
  assert.equal((await program('crowded'))['slot'], 77)
  assert.equal((await program('halfway'))['slot'], 9)
})

test('a table full of the living is an error that says so', async () => {
  const { error, reserve } = await program('overfull')
  assert.match(String(error), /more than 1024 threads and processes share the memory/)
  assert.equal(reserve, 0)
})

test('memory of another version is refused, each time', async () => {
  const { error, again, thread, place } = await program('version')
  assert.match(String(error), /made by another version of plait: install one/)
  assert.deepEqual([again, thread], [error, error])
  assert.equal(place, 1, 'the thread that could not be started has left its place')
})

for (const transport of ['stream', 'shared'])
  test(`transport ${transport}: threads share a buffer, processes are told why they do not`, async () => {
    const found = await program('reason', transport)
    const reason = `PLAIT_TRANSPORT is ${transport}`
    const error = `a Queue cannot be shared with another process: ${reason}`
    assert.deepEqual(found, { mapped: false, reason, error, thread: 0, torn: 0, child: reason })
  })

test('where the address space is limited the memory is smaller, and a child finds its size', async () => {
  const found = await program('limited', '', 'ulimit -v 40000000')
  assert.deepEqual(found, { gigabytes: 16, child: 0 })
})

test('where there is too little of it the error says so, and no memory is left', async () => {
  const { reason, memories } = await program('limited', '', 'ulimit -v 20000000')
  assert.match(String(reason), /mmap failed: ENOMEM .*ulimit -v/)
  assert.equal(memories, 0)
})

test('a bell that cannot be opened leaves nobody in line', async () => {
  assert.deepEqual(await program('deaf', '', 'ulimit -n 64'), { error: 'EMFILE', left: 1, later: 1 })
})

test('slots are used again as late as can be', async () => {
  const seen: number[] = []
  for (let i = 0; i < 3; i++) {
    seen.push(slotOf((await thread(jobs.attendOnce).result) as number))
  }
  assert.equal(new Set(seen).size, 3)
})
