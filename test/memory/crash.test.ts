/**
 * SIGKILL at any moment, seeded: the guard is taken over and what it guards stays consistent; the heap gives
 * no block to two and gets back whatever the dead had; waiters that are killed harm nobody.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { load } from '#plait/memory/atomics.js'
import { enter, leave } from '#plait/memory/guard.js'
import { free, read, usage, walk } from '#plait/memory/heap.js'
import { ARENA_TOP, CONTROL_TOP } from '#plait/memory/layout.js'
import { isKnown } from '#plait/memory/participants.js'
import { H_OWNER } from '#plait/memory/layout.js'
import { region } from '#plait/memory/region.js'
import { checkLeaks } from '../leaks.ts'
import { freeLists } from '../model/free-lists.ts'
import { putToken, tokensOf, tokenWords } from '../model/tokens.ts'
import { random } from '../random.ts'
import { mortalProcess as startMortal, process as start, reached, thread } from './children.ts'
import * as jobs from './jobs.ts'

checkLeaks()

const seed = Number(process.env['PLAIT_SEED'] ?? 7)

/** Resolves when a word has changed so often: then whoever changes it is at work. */
async function moves(word: number, by: number): Promise<void> {
  const { words } = region()
  const from = load(words, word)
  for (let i = 0; i < 20_000 && ((load(words, word) - from) | 0) < by; i++)
    await new Promise((resolve) => setTimeout(resolve, 1))
  assert.ok(((load(words, word) - from) | 0) >= by, 'nobody moves')
}

test('a guard goes on whatever is killed in it, processes and threads', async () => {
  const { words } = region()
  const first = jobs.blockWord()
  const next = random(seed)
  const began = jobs.blockWord()
  const steady = start(jobs.growTwo, first, began)
  await reached(began, 1)
  let taken = 0
  for (let round = 0; round < 8; round++) {
    jobs.say(began, 0)
    const other = round % 4 === 3 ? thread(jobs.growTwo, first, began) : start(jobs.growTwo, first, began)
    // A thread that is ended while it loads its modules leaves their descriptors.
    await reached(began, 1)
    await moves(first + 1, 2000 + Math.floor(next() * 20_000))
    if ('terminate' in other && 'worker' in other) await other.terminate()
    else {
      other.kill()
      await other.join()
    }
    await moves(first + 1, 1000)
    if (enter(words, first)) taken++
    leave(words, first)
  }
  steady.kill()
  await steady.join()
  enter(words, first)
  leave(words, first)
  assert.equal(load(words, first + 3), 0, `torn, seed ${seed}, ${taken} taken over here`)
})

test('the heap gives no block to two, and gets back what the dead had', async () => {
  const { words } = region()
  const broken = jobs.blockWord()
  const next = random(seed)
  const before = usage()
  const killed: number[] = []
  const steady = start(jobs.churn, seed, 30_000, broken)
  for (let round = 0; round < 8; round++) {
    const word = jobs.blockWord()
    const child = startMortal(jobs.churnAndDie, seed + round, broken, word, Math.ceil(next() * 20_000))
    assert.equal(await child.join(), -9)
    killed.push(load(words, word))
    free((word / 16) | 0)
  }
  await steady.result
  await steady.join()
  assert.equal(load(words, broken), 0, `two had one block, seed ${seed}`)
  assert.equal(freeLists(), undefined)
  for (const address of walk())
    assert.ok(!killed.includes(read(address, H_OWNER)), 'a block belongs to somebody who is dead')
  for (const owner of killed) assert.ok(!isKnown(owner))
  assert.equal(usage().blocks, before.blocks, 'as many blocks in use as before')
})

test('what was freed is used again', async () => {
  const { words } = region()
  const tops = [load(words, CONTROL_TOP), load(words, ARENA_TOP)]
  const broken = jobs.blockWord()
  for (let round = 0; round < 3; round++) {
    const child = start(jobs.churn, seed, 5000, broken)
    await child.result
    await child.join()
  }
  // The same sizes again: nothing new is cut, but for the block above.
  assert.ok(load(words, CONTROL_TOP) - tops[0] <= 2 * 16_384, 'the control part grows')
  assert.equal(load(words, ARENA_TOP) >>> 0 < (tops[1] >>> 0) + 2 ** 20, true)
})

test('waiters that are killed harm nobody: tokens go to those who live', async () => {
  const first = jobs.blockWord(4 * tokenWords)
  const doomed = []
  for (let i = 0; i < 4; i++) {
    const word = jobs.blockWord()
    doomed.push(
      i < 2
        ? start(jobs.waitForOne, first, word, i % 2 === 0)
        : thread(jobs.waitForOne, first, word, i % 2 === 0),
    )
    await reached(word, 1)
  }
  for (const one of doomed)
    if ('terminate' in one && 'worker' in one) await one.terminate()
    else {
      one.kill()
      await one.join()
    }
  const there = jobs.blockWord(4 * tokenWords)
  const alive = start(jobs.relay, first, there, 100, false)
  for (let i = 0; i < 100; i++) putToken(first)
  assert.equal(await alive.result, 100)
  await alive.join()
  assert.equal(tokensOf(first), 0)
  assert.equal(tokensOf(there), 100)
})
