/**
 * Variables that a function and its arguments have in common: one variable in the worker, as here, with the
 * value of the submit; for each task anew.
 */
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { die, TestPool } from '../backend.js'
import { SerializationError } from 'plait'
import { checkLeaks } from '../leaks.js'

checkLeaks()

let counter = 0
const increase = (): number => ++counter
const read = (): number => counter

it('a variable that the function assigns, and one in its arguments reads', async () => {
  await using pool = new TestPool(1)
  counter = 10
  const fn = (get: () => number): number[] => [get(), (counter += 5), get()]
  assert.deepEqual(await pool.apply(fn, [read]), [10, 15, 15])
  assert.deepEqual(await pool.apply(fn, [read]), [10, 15, 15])
  assert.equal(counter, 10)
})

it('a variable that one in the arguments assigns, and the function reads', async () => {
  await using pool = new TestPool(1)
  counter = 20
  const fn = (add: () => number): number[] => [counter, add(), counter]
  assert.deepEqual(await pool.apply(fn, [increase]), [20, 21, 21])
  assert.deepEqual(await pool.apply(fn, [increase]), [20, 21, 21])
})

it('a function that is its own argument', async () => {
  await using pool = new TestPool(1)
  counter = 0
  const fn = (depth: number, self?: (depth: number) => number): number =>
    self === undefined ? (counter += depth) : self(depth + 1) + counter
  assert.equal(await pool.apply(fn, [1, fn]), 4)
})

let made = 0
class Ticket {
  readonly number = ++made
  static issued(): number {
    return made
  }
}

it('a class among the arguments, and a function that reads what it assigns', async () => {
  await using pool = new TestPool(1)
  const fn = (type: typeof Ticket): number[] => [made, new type().number, made, type.issued()]
  for (let i = 0; i < 3; i++) {
    made = i * 10
    assert.deepEqual(await pool.apply(fn, [Ticket]), [i * 10, i * 10 + 1, i * 10 + 1, i * 10 + 1])
  }
})

it('a function among the arguments, and a class that assigns what it reads', async () => {
  await using pool = new TestPool(1)
  const issued = (): number => made
  const fn = (get: () => number): number[] => [get(), new Ticket().number, get()]
  for (let i = 0; i < 3; i++) {
    made = i * 10
    assert.deepEqual(await pool.apply(fn, [issued]), [i * 10, i * 10 + 1, i * 10 + 1])
  }
})

it('a class in both is one already', async () => {
  await using pool = new TestPool(1)
  made = 0
  const first = new Ticket()
  assert.deepEqual(await pool.map((ticket: Ticket) => [ticket.number, new Ticket().number], [first]), [
    [1, 2],
  ])
})

const state = { log: [] as string[] }
const note = (text: string): number => state.log.push(text)

it('an object that both change', async () => {
  await using pool = new TestPool(1)
  const fn = (write: typeof note): string[] => {
    write('there')
    return state.log
  }
  assert.deepEqual(await pool.apply(fn, [note]), ['there'])
  assert.deepEqual(state.log, [])
})

function counterFrom(n: number): { add(): number; get(): number } {
  return { add: () => ++n, get: () => n }
}

it('a variable of a nested scope', async () => {
  await using pool = new TestPool(1)
  const { add, get } = counterFrom(5)
  assert.deepEqual(
    await pool.apply((read: () => number) => [add(), read(), add(), read()], [get]),
    [6, 6, 7, 7],
  )
})

it('each chunk of a map begins with the values of the submit', async () => {
  await using pool = new TestPool(1)
  counter = 0
  const fn = (add: () => number): number => add() + counter
  const items = [increase, increase, increase, increase]
  assert.deepEqual(await pool.map(fn, items, { chunksize: 2 }), [2, 4, 2, 4])
  const star = (add: () => number, n: number): number => add() + counter + n
  const pairs = items.map((item, i) => [item, i * 10] as [() => number, number])
  assert.deepEqual(await pool.starmap(star, pairs, { chunksize: 4 }), [2, 14, 26, 38])
})

it('a retry begins with the values of the submit', async () => {
  await using pool = new TestPool(1, { retries: 1 })
  counter = 3
  const fn = (add: () => number): number => {
    if (add() + counter !== 8) return -1
    if (currentAttempt() === 1) die()
    return counter
  }
  const { currentTask } = await import('plait')
  const currentAttempt = (): number => currentTask()?.attempt ?? 0
  assert.equal(await pool.apply(fn, [increase]), 4)
})

async function* late(change: () => void): AsyncGenerator<() => number> {
  change()
  yield increase
}

it('items that come later share the variable, where the function is as it was', async () => {
  await using pool = new TestPool(1)
  counter = 1
  const fn = (add: () => number): number => add() + counter
  assert.deepEqual(
    await pool.map(
      fn,
      late(() => {}),
    ),
    [4],
  )
  const seen: number[] = []
  for await (const value of pool.imap(fn, [increase, increase])) seen.push(value)
  assert.deepEqual(seen, [4, 4])
})

it('where it has changed meanwhile, that is an error which names the variable', async () => {
  await using pool = new TestPool(1)
  counter = 1
  const fn = (add: () => number): number => add() + counter
  const error = await pool
    .map(
      fn,
      late(() => counter++),
    )
    .catch((reason: unknown) => reason)
  assert.ok(error instanceof SerializationError)
  assert.equal(error.path, 'counter')
  assert.match(
    error.message,
    /`counter` \(captured by `increase` at .*\): the function .* uses it too, and has changed/,
  )
  counter = 1
  const other = await pool
    .map(
      fn,
      late(() => (counter = 1)),
    )
    .catch((reason: unknown) => reason)
  assert.deepEqual(other, [4])
})

it("a worker's own variable stays its own", async () => {
  let own = 0
  await using pool = new TestPool(1, {
    initializer: () => {
      own = 100
    },
  })
  const up = (): number => ++own
  const fn = (add: () => number): number => add() + own
  assert.equal(await pool.apply(fn, [up]), 202)
  assert.equal(await pool.apply(fn, [up]), 204)
  assert.equal(own, 0)
})

it('in a worker, with functions that were sent to it', async () => {
  await using pool = new TestPool(1)
  counter = 5
  const nested = async (add: () => number, get: () => number): Promise<number[]> => {
    await using inner = new TestPool(1)
    return await inner.apply((read: () => number) => [add(), read()], [get])
  }
  assert.deepEqual(await pool.apply(nested, [increase, read]), [6, 6])
})
