/**
 * What a burial gives back: cells whose maker died before there was anything in them, cells whose destroyer
 * died at it, and all the others where one of them cannot be given back.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { load } from '#plait/memory/atomics.js'
import { usage } from '#plait/memory/heap.js'
import { defineKind } from '#plait/memory/holders.js'
import { kinds } from '#plait/memory/layout.js'
import { isKnown } from '#plait/memory/participants.js'
import { region } from '#plait/memory/region.js'
import '#plait/queue/open.js'
import '#plait/transport/link.js'
import { checkLeaks } from '../leaks.ts'
import { process as start, reached } from './children.ts'
import * as jobs from './jobs.ts'

// The words of its tests stay, and a cell that cannot be given back.
checkLeaks(3, 'blocks')

/** Kinds of blocks that are no cells, or have no room. */
const others = new Set<number>([kinds.chunk, kinds.local])

/** Kills a child that has made cells of these kinds; answers who it was. */
async function makeAndDie(...made: readonly number[]): Promise<number> {
  const word = jobs.blockWord()
  const child = start(jobs.makeAndStay, word, ...made)
  await reached(word, 1)
  child.kill()
  await child.join()
  return load(region().words, word + 1)
}

test('cells whose maker died before it put something in are given back', async () => {
  await makeAndDie()
  const { blocks } = usage()
  const owner = await makeAndDie(
    ...Object.values(kinds).filter((kind) => kind >= kinds.lock && !others.has(kind)),
  )
  assert.equal(usage().blocks, blocks + 1, 'the word of this test')
  assert.ok(!isKnown(owner))
})

test('what cannot be given back costs itself alone, and is told', async () => {
  defineKind(kinds.local, {
    destroy() {
      throw new Error('it is broken')
    },
  })
  const { blocks } = usage()
  const warned = once(process, 'warning') as Promise<[Error]>
  const owner = await makeAndDie(kinds.lock, kinds.local, kinds.lock)
  assert.equal(usage().blocks, blocks + 2, 'the word of this test, and the cell')
  assert.ok(!isKnown(owner))
  const [warning] = await warned
  assert.match(warning.message, /a dead process or thread had stays taken: it is broken/)
})

test('who dies while it destroys a queue leaves it to its sweeper', async () => {
  const { blocks } = usage()
  const child = start(jobs.dieInDestroy)
  assert.equal(await child.join(), -9)
  assert.equal(usage().blocks, blocks)
})
