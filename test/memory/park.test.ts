/**
 * One wait, in the thread and in the event loop: deadlines, signals, order, many at once, and the bell that
 * wakes a loop; what it leaves when its thread or process ends.
 */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { test } from 'node:test'
import { getEventListeners } from 'node:events'
import { exchange, load } from '#plait/memory/atomics.js'
import { onRing } from '#plait/memory/bell.js'
import { L_HEAD, L_TAIL, S_ASLEEP } from '#plait/memory/layout.js'
import { park, parkSync } from '#plait/memory/park.js'
import { me, slotAt, slotOf } from '#plait/memory/participants.js'
import { region } from '#plait/memory/region.js'
import { usage } from '#plait/memory/heap.js'
import { checkLeaks } from '../leaks.ts'
import { putToken, tokensOf, tokenWords, wantToken } from '../model/tokens.ts'
import { process as start, reached, thread } from './children.ts'
import * as jobs from './jobs.ts'

checkLeaks(3, 'blocks')

const tokens = (): number => jobs.blockWord(4 * tokenWords)
const LINE = 2

function inLine(first: number): number {
  const { words } = region()
  return (load(words, first + LINE + L_TAIL) - load(words, first + LINE + L_HEAD)) | 0
}

test('deadlines: none passes before its time, zero does not wait, and the line is as it was', async () => {
  const first = tokens()
  for (const timeout of [0, 30, 130]) {
    const began = performance.now()
    assert.equal(parkSync(wantToken(first), timeout), undefined)
    assert.ok(performance.now() - began >= timeout - 1)
    assert.equal(await park(wantToken(first), timeout), undefined)
  }
  assert.equal(inLine(first), 0)
  putToken(first)
  assert.equal(parkSync(wantToken(first), 0), 1)
  assert.equal(await park(wantToken(first), 0), undefined)
})

test('a signal ends a wait with its reason, and a token that came before it stays', async () => {
  const first = tokens()
  const reason = new Error('enough')
  const aborted = AbortSignal.abort(reason)
  assert.throws(() => parkSync(wantToken(first), undefined, aborted), reason)
  await assert.rejects(park(wantToken(first), undefined, aborted), reason)
  const controller = new AbortController()
  const waiting = park(wantToken(first), undefined, controller.signal)
  const rejected = assert.rejects(waiting, reason)
  controller.abort(reason)
  await rejected
  assert.equal(getEventListeners(controller.signal, 'abort').length, 0)
  assert.equal(inLine(first), 0)
  // Granted and aborted in one turn: the grant was first, so nothing is lost.
  const both = new AbortController()
  const last = park(wantToken(first), undefined, both.signal)
  putToken(first)
  both.abort(reason)
  const outcome = await last.catch((error: unknown) => error)
  assert.equal(outcome === reason ? tokensOf(first) : outcome, 1)
})

test('who came first is served first, whatever way it waits', async () => {
  const first = tokens()
  const there = tokens()
  const order: number[] = []
  const mine = [0, 1, 2].map((i) => park(wantToken(first)).then(() => order.push(i)))
  const other = start(jobs.relay, first, there, 1, false)
  for (let i = 0; i < 10_000 && inLine(first) < 4; i++) await new Promise((resolve) => setTimeout(resolve, 1))
  assert.equal(inLine(first), 4)
  const late = park(wantToken(first)).then(() => order.push(4))
  for (let i = 0; i < 3; i++) putToken(first)
  await Promise.all(mine)
  assert.deepEqual(order, [0, 1, 2])
  assert.equal(inLine(first), 2)
  putToken(first)
  assert.equal(await other.result, 1)
  await other.join()
  assert.deepEqual(order, [0, 1, 2], 'the process stood before the last one')
  putToken(first)
  await late
})

test('tokens go round between a process, a thread and this loop: none is lost, none doubled', async () => {
  const [a, b, c] = [tokens(), tokens(), tokens()]
  const rounds = 500
  const other = start(jobs.relay, a, b, rounds, true)
  const blocking = thread(jobs.relay, b, c, rounds, false)
  const mine = jobs.relay(c, a, rounds, true)
  for (let i = 0; i < 3; i++) putToken(a)
  const got = await Promise.all([other.result, blocking.result, mine])
  await other.join()
  assert.deepEqual(got, [rounds, rounds, rounds])
  assert.equal(tokensOf(a) + tokensOf(b) + tokensOf(c), 3)
})

test('ten thousand wait at once, and it costs each of them what it costs a thousand', async () => {
  const first = tokens()
  const cost = async (count: number): Promise<number> => {
    const began = performance.now()
    const all = Array.from({ length: count }, () => park(wantToken(first), 60_000))
    assert.equal(inLine(first), count)
    for (let i = 0; i < count; i++) putToken(first)
    const got = await Promise.all(all)
    assert.ok(got.every((one) => one === 1))
    return (performance.now() - began) / count
  }
  await cost(1000)
  const few = Math.min(await cost(1000), await cost(1000))
  const many = Math.min(await cost(10_000), await cost(10_000))
  assert.ok(many < few * 4, `${few} ms each of 1000, ${many} ms each of 10,000`)
  assert.equal(inLine(first), 0)
})

test('giving up in forty thousand is not quadratic either', async () => {
  const first = tokens()
  const cost = async (count: number): Promise<number> => {
    const controller = new AbortController()
    const all = Array.from({ length: count }, () => park(wantToken(first), undefined, controller.signal))
    const settled = Promise.allSettled(all)
    const began = performance.now()
    controller.abort()
    await settled
    return (performance.now() - began) / count
  }
  await cost(1000)
  const few = Math.min(await cost(2000), await cost(2000), await cost(2000))
  const many = Math.min(await cost(40_000), await cost(40_000))
  assert.ok(many < few * 10, `${few} ms each of 2000, ${many} ms each of 40,000`)
  putToken(first)
  assert.equal(parkSync(wantToken(first), 0), 1, 'nobody is left in line')
})

test('bells leave no descriptor, however their owners end', async () => {
  const first = tokens()
  const round = async (): Promise<void> => {
    const words = [jobs.blockWord(), jobs.blockWord()]
    const killed = [
      start(jobs.waitForOne, first, words[0], true),
      thread(jobs.waitForOne, first, words[1], true),
    ]
    await Promise.all(words.map((word) => reached(word, 1)))
    // Two tokens ring both, so that their bells are open here.
    for (let i = 0; i < 1000 && inLine(first) < 2; i++) await new Promise((r) => setTimeout(r, 1))
    putToken(first)
    putToken(first)
    for (const one of killed) await (one as { result: Promise<unknown> }).result
    for (const one of killed) if ('join' in one) await one.join()
    jobs.say(words[0], 0)
    const doomed = thread(jobs.waitForOne, first, words[0], true)
    await reached(words[0], 1)
    await doomed.terminate()
  }
  await round()
  const { blocks } = usage()
  const before = readdirSync('/proc/self/fd').length
  for (let i = 0; i < 4; i++) await round()
  assert.ok(readdirSync('/proc/self/fd').length <= before, 'descriptors are left')
  assert.ok(usage().blocks <= blocks + 4 * 10, 'only pages of nodes, and the words of this test')
})

test('a ring that died with its ringer, before the bell, is made up for (B4)', async () => {
  let stop = (): void => {}
  const keeper = setInterval(() => {}, 1000) // the look for lost rings keeps no program alive
  const looked = new Promise<void>((resolve) => (stop = onRing(() => resolve())))
  const { words } = region()
  // All that it did before it was killed.
  assert.equal(exchange(words, slotAt(slotOf(me())) + S_ASLEEP, 0), 1)
  await looked
  assert.equal(load(words, slotAt(slotOf(me())) + S_ASLEEP), 1, 'it can be rung again')
  stop()
  clearInterval(keeper)
})
