/**
 * The event loop turns while a program awaits what is always there, and the order of answers stays. Also for
 * locks and events, which ask the same place.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Event, Lock, Pipe, Queue, Semaphore, wait } from 'plait'
import { checkLeaks } from '../leaks.js'

checkLeaks(3, 'blocks')

/** Where the loop never turns this is far more than it needs. */
const most = 2000

const queue = new Queue<number>()
const iterated = new Queue<number>()
const items = iterated[Symbol.asyncIterator]()
const [one, other] = Pipe<number>()
const ready = Pipe<number>()
const lock = new Lock()
const semaphore = new Semaphore(3)
const event = new Event()
event.set()
ready[1].sendSync(1)

const loops: Record<string, () => Promise<unknown>> = {
  get: () => (queue.putNowait(1), queue.get()),
  put: () => queue.put(1).then(() => queue.getNowait()),
  'an iterator': () => (iterated.putNowait(1), items.next()),
  recv: () => (one.sendSync(1), other.recv()),
  send: () => one.send(1).then(() => other.recvSync()),
  poll: () => ready[0].poll(),
  wait: () => wait([ready[0]]),
  'a lock': () => lock.acquire().then((guard) => guard.release()),
  run: () => lock.run(() => {}),
  'a semaphore': () => semaphore.acquire().then((guard) => guard.release()),
  'an event': () => event.wait(),
}
for (const [name, step] of Object.entries(loops))
  test(`the event loop turns: ${name}`, async () => {
    const timer = AbortSignal.timeout(2)
    const began = performance.now()
    while (!timer.aborted && performance.now() - began < most) await step()
    assert.ok(timer.aborted)
  })

test('what comes while an earlier answer waits for the turn comes after it', async () => {
  const order: string[] = []
  const queue = new Queue<string>()
  const began = performance.now()
  let first: Promise<unknown> | undefined
  while (first === undefined && performance.now() - began < most) {
    queue.putNowait('first')
    let settled = false
    const get = queue.get().then((item) => (order.push(item), (settled = true)))
    for (let i = 0; i < 4; i++) await Promise.resolve()
    if (settled) order.length = 0
    else first = get
  }
  assert.ok(first !== undefined, 'one had to wait for the turn')
  const second = queue.get().then((item) => order.push(item))
  queue.putNowait('second')
  await Promise.all([first, second])
  assert.deepEqual(order, ['first', 'second'])
})
