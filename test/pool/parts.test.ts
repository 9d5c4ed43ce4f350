/** The parts of the dispatch that stand alone: line, held, ledger, chunk. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultChunksize } from '#plait/pool/chunk.js'
import { Held } from '#plait/pool/held.js'
import { FileLedger } from '#plait/pool/ledger-file.js'
import { MemoryLedger, MemoryPage } from '#plait/pool/ledger-memory.js'
import { FilePage } from '#plait/pool/ledger-page.js'
import { ledgerRoom, type Ledger, type Page } from '#plait/pool/ledger.js'
import { Line } from '#plait/pool/line.js'
import type { Task } from '#plait/pool/task.js'

const task = (id: number, priority?: number): Task =>
  ({
    id,
    seq: id,
    settled: false,
    since: 0,
    options: priority === undefined ? undefined : { priority },
  }) as never

test('a line gives tasks in order, whatever its ring does', () => {
  const line = new Line()
  let next = 0
  let given = 0
  for (let round = 0; round < 300; round++) {
    for (let i = 0; i < 1 + (round % 7); i++) line.push(task(next++))
    for (let i = 0; i < round % 5; i++) assert.equal(line.shift()?.id, given < next ? given++ : undefined)
  }
  while (given < next) assert.equal(line.shift()?.id, given++)
  assert.equal(line.peek(), undefined)
})

test('a line drops what was settled, and puts what comes back first', () => {
  const line = new Line()
  const tasks = [1, 2, 3, 4].map((id) => task(id))
  for (const one of tasks) line.push(one)
  tasks[0].settled = true
  tasks[2].settled = true
  assert.equal(line.shift()?.id, 2)
  line.unshift(tasks[1])
  assert.deepEqual([line.shift()?.id, line.shift()?.id, line.shift()], [2, 4, undefined])
})

test('long waiting beats any priority', () => {
  const line = new Line()
  const old = task(1, 0)
  line.push(old)
  line.push(task(2, 5))
  assert.equal(line.peek()?.id, 2)
  old.since -= 60_000
  assert.equal(line.shift()?.id, 1)
})

test('what was sent at once and comes back has waited no time', (t) => {
  const line = new Line()
  const hours = Date.now() + 36_000_000
  t.mock.method(Date, 'now', () => hours)
  line.push(task(1, 9))
  line.unshift(task(2, -5))
  assert.deepEqual([line.shift()?.id, line.shift()?.id], [1, 2])
})

test('a line forgets what was settled in it, and nothing else', () => {
  const line = new Line()
  const tasks = Array.from({ length: 5000 }, (_, i) => task(i, i % 2))
  for (const one of tasks) line.push(one)
  for (let i = 0; i < 1000; i++) assert.equal(line.shift()?.id, 2 * i + 1)
  for (const one of tasks) {
    if (one.id % 7 === 0) continue
    one.settled = true
    line.settled(one)
  }
  const left = Array.from({ length: 1000 }, () => line.shift()?.id).filter((id) => id !== undefined)
  const lanes = [tasks.filter(({ id }) => id % 2 === 1 && id > 2000), tasks.filter(({ id }) => id % 2 === 0)]
  const expected = lanes.flat().filter(({ settled }) => !settled)
  assert.deepEqual(
    left,
    expected.map(({ id }) => id),
  )
})

test('held finds by number, forgets, grows, and lists in order', () => {
  const held = new Held()
  const all = Array.from({ length: 500 }, (_, i) => task(i + 1))
  for (const one of all) held.add(one.seq, one)
  assert.equal(held.size, 500)
  for (let seq = 1; seq <= 500; seq += 2) held.delete(seq)
  assert.deepEqual(
    held.from(100).map(({ seq }) => seq),
    all.map(({ seq }) => seq).filter((seq) => seq >= 100 && seq % 2 === 0),
  )
  assert.equal(held.get(3), undefined)
  assert.equal(held.get(4), all[3])
  for (let seq = 2; seq <= 500; seq += 2) held.delete(seq)
  assert.deepEqual([held.size, held.from(0)], [0, []])
  held.add(9000, all[0])
  assert.equal(held.get(9000), all[0])
  assert.equal(held.get(9000 - 512), undefined)
})

const nothing = { bytes: Buffer.alloc(0), size: 0, flushes: 0 }

const ledgers: Record<string, () => [Ledger, Page]> = {
  'in a file'() {
    const ledger = new FileLedger()
    return [ledger, new FilePage(ledger.memory)]
  },
  'in memory'() {
    const ledger = new MemoryLedger()
    return [ledger, new MemoryPage(ledger.memory)]
  },
}

for (const [where, open] of Object.entries(ledgers)) {
  test(`a ledger ${where} shows what was begun, and what had not left`, () => {
    const [ledger, page] = open()
    assert.deepEqual([ledger.begun(), ledger.unflushed().length], [0, 0])
    const begin = (seq: number, bytes: Buffer, size: number, flushes: number): void => {
      assert.equal(page.begin(seq, { bytes, size, flushes }, performance.now()), true)
      assert.equal(ledger.begun(), seq)
      assert.ok(ledger.unflushed().equals(bytes.subarray(0, size)))
    }
    const first = Buffer.alloc(ledgerRoom, 'one two three ')
    for (const [i, size] of [3, 3, 10, 500, ledgerRoom].entries()) begin(1 + i, first, size, 1)
    const second = Buffer.alloc(ledgerRoom, 7)
    for (const [i, size] of [2, 600].entries()) begin(6 + i, second, size, 2)
    begin(8, first, 700, 3)
    begin(9, first, 0, 3 + 1)
    ledger.close()
  })

  test(`a recall ${where} binds the worker that was seen at one task twice`, () => {
    const [ledger, page] = open()
    page.begin(1, nothing, performance.now())
    assert.equal(ledger.standing(), false)
    while (!ledger.standing());
    assert.equal(ledger.recall(2, 4), 1)
    // However the worker samples its clocks: it has been at task 1 for as long as it was watched.
    assert.equal(page.begin(2, nothing, performance.now()), false)
    assert.equal(page.begin(3, nothing, performance.now()), false)
    assert.equal(page.begin(4, nothing, performance.now()), false)
    assert.equal(page.begin(5, nothing, performance.now()), true)
    assert.equal(ledger.begun(), 5)
    ledger.close()
  })
}

test("chunks are Python's: a quarter of a worker's share, rounded up", () => {
  for (const [length, workers, size] of [
    [0, 4, 1],
    [1, 4, 1],
    [16, 4, 1],
    [17, 4, 2],
    [1000, 2, 125],
    [1001, 2, 126],
  ] as const)
    assert.equal(defaultChunksize(length, workers, false), size)
  assert.equal(defaultChunksize(1000, 2, true), 1)
})
