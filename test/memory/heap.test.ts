/**
 * The heap in one process: sizes, what is zero, blocks used again; and pages that go back to the system after
 * more was freed than is worth keeping.
 */
import assert from 'node:assert/strict'
import { fstatSync } from 'node:fs'
import { test } from 'node:test'
import { MemoryError } from '#plait/core/errors.js'
import { allocate, capacityOf, free, read, usage, walk, wordAt } from '#plait/memory/heap.js'
import { cellWord, hold, makeCell, release } from '#plait/memory/holders.js'
import { arenaFirst, blockBytes, H_KIND, H_OWNER, kinds } from '#plait/memory/layout.js'
import { me } from '#plait/memory/participants.js'
import { region, regionForProcess } from '#plait/memory/region.js'
import { checkLeaks } from '../leaks.ts'

checkLeaks()

/** Bytes of the memory that have pages. */
function resident(): number {
  return fstatSync(regionForProcess().fd!).blocks * 512
}

test('a block holds what was asked for, up to twice that, and belongs to who asked', () => {
  for (const bytes of [0, 1, 63, 64, 65, 128, 4096, 65_536, 65_537, 2 ** 20, 2 ** 20 + 1]) {
    const address = allocate(bytes, kinds.payload)
    const room = capacityOf(address)
    assert.ok(room >= bytes && (room === 64 || room < 2 * bytes), `${bytes} got ${room}`)
    assert.equal(address >= arenaFirst, bytes > 65_536)
    assert.equal(read(address, H_OWNER), me())
    assert.equal(region().slice(address, bytes).byteLength, bytes)
    free(address)
    assert.equal(read(address, H_KIND), kinds.free)
  }
})

test('words of the control part are zero, whatever lay there', () => {
  const { words } = region()
  const address = allocate(1000, kinds.payload)
  words.fill(7, wordAt(address), wordAt(address) + 256)
  free(address)
  const again = allocate(1000, kinds.payload)
  assert.equal(again, address, 'the last one freed is the next one taken')
  assert.ok(words.subarray(wordAt(again), wordAt(again) + 256).every((word) => word === 0))
  free(again)
})

test('entries are addressed by words, whatever their size', () => {
  const address = allocate(2 ** 20, kinds.entries)
  assert.ok(address < arenaFirst)
  free(address)
  const payload = allocate(2 ** 20, kinds.payload)
  assert.ok(payload >= arenaFirst, 'and do not mix with payloads')
  free(payload)
})

test('a large block costs the pages that were written, no more', () => {
  const before = resident()
  const address = allocate(33 * 2 ** 20, kinds.payload) // one of 64 MiB
  region()
    .slice(address, 2 ** 20)
    .fill(1)
  assert.ok(resident() - before <= 2 ** 20 + 2 * 4096 * 4)
  free(address)
})

/** On a machine with 8 GiB or more. */
const mostKept = 257 * 2 ** 20

test('after much was freed its pages go back, and what is taken again works', () => {
  const before = resident()
  const addresses = Array.from({ length: 400 }, () => allocate(2 ** 20, kinds.payload))
  for (const address of addresses)
    region()
      .slice(address, 2 ** 20)
      .fill(1)
  assert.ok(resident() - before >= 400 * 2 ** 20)
  for (const address of addresses) free(address)
  assert.ok(resident() - before <= mostKept, `${(resident() - before) / 2 ** 20} MiB are kept`)
  const again = Array.from({ length: 400 }, () => allocate(2 ** 20, kinds.payload))
  assert.deepEqual(new Set(again), new Set(addresses))
  for (const address of again)
    region()
      .slice(address, 2 ** 20)
      .fill(2)
  for (const address of again) assert.equal(region().slice(address, 2 ** 20)[4096 * 3], 2)
  for (const address of again) free(address)
  assert.ok(resident() - before <= mostKept)
})

test('small ones as well, in the control part', () => {
  const before = resident()
  const addresses = Array.from({ length: 6000 }, () => allocate(65_536, kinds.payload))
  for (const address of addresses) region().words.fill(1, wordAt(address), wordAt(address) + 16_384)
  assert.ok(resident() - before >= 360 * 2 ** 20 - mostKept)
  for (const address of addresses) free(address)
  assert.ok(resident() - before <= mostKept + 3000 * 4096, `${(resident() - before) / 2 ** 20} MiB are kept`)
})

test('a cell goes with its last holder, and a walk finds what is in use', () => {
  const { blocks } = usage()
  const cells = Array.from({ length: 100 }, () => makeCell(kinds.lock, 4))
  assert.equal(usage().blocks, blocks + 100)
  hold(cells[0]) // it does already
  assert.equal(region().words[cellWord(cells[0])], 0)
  for (const cell of cells) release(cell)
  assert.equal(usage().blocks, blocks)
  let last = 0
  for (const address of walk()) {
    assert.ok(address > last)
    last = address
  }
})

test('more than there is: an error of its own, and nothing taken', () => {
  const before = usage()
  const { blocks } = region()
  assert.throws(
    () => allocate(blocks * blockBytes, kinds.payload),
    (error) => error instanceof MemoryError && error.code === 'PLAIT_MEMORY' && /queues/.test(error.message),
  )
  assert.deepEqual(usage(), before)
  free(allocate(64, kinds.payload))
})
