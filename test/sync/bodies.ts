/**
 * What threads and processes do in the tests of this room: each is called by name in another thread, or sent
 * to another process by reference. Handles come as arguments.
 */
import type {
  Barrier,
  Condition,
  Event,
  Lock,
  RLock,
  Semaphore,
  SharedArray,
  SharedValue,
} from '#plait/sync/open.js'

type Counter = SharedValue<'int32'>

/** Adds under the lock, not atomically: whatever the lock lets through twice is missing at the end. */
function countSync(lock: Lock | RLock | Semaphore, counter: Counter, times: number): number {
  for (let i = 0; i < times; i++) {
    const guard = lock.acquireSync()
    counter.value = counter.value + 1
    guard.release()
  }
  return times
}

/** The same in the event loop, a few at once. */
async function countAsync(lock: Lock | RLock | Semaphore, counter: Counter, times: number): Promise<number> {
  const one = async (): Promise<void> => {
    for (let i = 0; i < times / 4; i++) {
      await lock.run(async () => {
        const seen = counter.value
        await Promise.resolve()
        counter.value = seen + 1
      })
    }
  }
  await Promise.all([one(), one(), one(), one()])
  return times
}

/** Never more than the semaphore allows; answers how many there were at most. */
function crowd(semaphore: Semaphore, inside: Counter, times: number): number {
  let most = 0
  for (let i = 0; i < times; i++) {
    const guard = semaphore.acquireSync()
    most = Math.max(most, inside.add(1) + 1)
    inside.add(-1)
    guard.release()
  }
  return most
}

/** Meets the others again and again; answers the indices it got. */
function meet(barrier: Barrier, rounds: number): number[] {
  const indices: number[] = []
  for (let i = 0; i < rounds; i++) indices.push(barrier.waitSync())
  return indices
}

async function meetAsync(barrier: Barrier, rounds: number): Promise<number[]> {
  const indices: number[] = []
  for (let i = 0; i < rounds; i++) indices.push(await barrier.wait())
  return indices
}

/** Answers once the event was set. */
function waitSync(event: Event, arrived: Semaphore): boolean {
  arrived.release()
  return event.waitSync()
}

async function waitAsync(event: Event, arrived: Semaphore): Promise<boolean> {
  arrived.release()
  return await event.wait()
}

/** Takes from a stock that others fill, until it has had its share. */
function consume(stock: Counter, changed: Condition, share: number): number {
  let taken = 0
  while (taken < share) {
    const guard = changed.acquireSync()
    changed.waitForSync(() => stock.value > 0)
    stock.value = stock.value - 1
    taken++
    changed.notifyAll()
    guard.release()
  }
  return taken
}

/** Puts into a stock that holds three. */
async function produce(stock: Counter, changed: Condition, share: number): Promise<number> {
  for (let made = 0; made < share; made++) {
    const guard = await changed.acquire()
    await changed.waitFor(() => stock.value < 3)
    stock.value = stock.value + 1
    changed.notifyAll()
    guard.release()
  }
  return share
}

/** Waits for a notification; says so under the lock, before it waits. */
function awaitNotice(changed: Condition, waiting: Counter, told: Counter): boolean {
  const guard = changed.acquireSync()
  waiting.add(1)
  const notified = changed.waitSync()
  if (notified) told.add(1)
  guard.release()
  return notified
}

/** Notifies, and never lets go of the lock. */
function notifyForEver(changed: Condition, ready: Event, never: Event): void {
  changed.acquireSync()
  changed.notifyAll()
  ready.set()
  never.waitSync()
}

/** Takes it, says so, and never lets go. */
function holdForEver(lock: Lock | RLock | Semaphore, ready: Event, never: Event, times = 1): void {
  for (let i = 0; i < times; i++) lock.acquireSync()
  ready.set()
  never.waitSync()
}

/** Stands in line, and says that it is about to. */
function standInLine(lock: Lock | RLock | Semaphore, ready: Event): void {
  ready.set()
  lock.acquireSync()
}

async function standInLineAsync(lock: Lock | RLock | Semaphore, ready: Event): Promise<void> {
  const wait = lock.acquire()
  ready.set()
  await wait
}

function meetOnce(barrier: Barrier, ready: Event): number {
  ready.set()
  return barrier.waitSync()
}

/** Adds under the lock until it is told to stop; twice each time, so that a death between the two shows. */
function pairs(lock: Lock, both: SharedArray<'int32'>, stop: Event): number {
  let died = 0
  while (!stop.isSet()) {
    const guard = lock.acquireSync({ timeout: 20_000 })
    if (guard === null) throw new Error('nobody has let go of the lock for 20 s')
    const view = both.view
    if (guard.ownerDied) {
      died++
      view[2] += Math.abs(view[0] - view[1])
      view[1] = view[0]!
    }
    if (view[0] !== view[1]) throw new Error(`half-changed without a word: ${view[0]} and ${view[1]}`)
    view[0] += 1
    view[1] += 1
    guard.release()
  }
  return died
}

/** Takes and gives back permits until it is told to stop; never are there more than there can be. */
function permits(semaphore: Semaphore, stop: Event, most: number): void {
  while (!stop.isSet()) {
    const guard = semaphore.acquireSync({ timeout: 20_000 })
    if (guard === null) throw new Error('nobody has given a permit back for 20 s')
    if (semaphore.value >= most) throw new Error(`${semaphore.value} of ${most} are free beside this one`)
    guard.release()
  }
}

/** One value of each type, from another side. */
function addMany(value: SharedValue | SharedValue<'int8'>, times: number): void {
  for (let i = 0; i < times; i++) value.add(1)
}

function fill(array: SharedArray<'int32'>, from: number, to: number): number {
  for (let i = from; i < to; i++) array.view[i] = i
  return array.length
}

/** Counts under the lock that the value has of its own. */
function countByOwnLock(value: Counter, times: number): void {
  for (let i = 0; i < times; i++) value.lock.runSync(() => (value.value = value.value + 1))
}

/** By name, as they are called in another thread. */
export const bodies = {
  countSync,
  countAsync,
  crowd,
  meet,
  meetAsync,
  waitSync,
  waitAsync,
  consume,
  produce,
  awaitNotice,
  notifyForEver,
  holdForEver,
  standInLine,
  standInLineAsync,
  meetOnce,
  pairs,
  permits,
  addMany,
  fill,
  countByOwnLock,
}
