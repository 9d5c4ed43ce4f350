/**
 * What the children of these tests do with the memory of the program. They travel by reference: this is a
 * module. Addresses travel as numbers here; handles are for users.
 */
import { add, load, sleepOn, store, wake } from '#plait/memory/atomics.js'
import { onRing } from '#plait/memory/bell.js'
import { enter, leave } from '#plait/memory/guard.js'
import { allocate, capacityOf, free, wordAt } from '#plait/memory/heap.js'
import { cellWord, defineKind, makeCell, receive } from '#plait/memory/holders.js'
import { kinds } from '#plait/memory/layout.js'
import { park, parkSync } from '#plait/memory/park.js'
import { me } from '#plait/memory/participants.js'
import { region, unmappedReason } from '#plait/memory/region.js'
import { Pipe } from '#plait/queue/connection.js'
import { Queue } from '#plait/queue/queue.js'
import { Process } from '#plait/worker/process.js'
import { dieAt } from '../mortal.ts'
import { random } from '../random.ts'
import { putToken, wantToken } from '../model/tokens.ts'

/** Joins, says so in the word, and stays until the word is 2. */
export function attend(word: number): number {
  const { words } = region()
  const owner = me()
  say(word, 1)
  while (load(words, word) !== 2) sleepOn(words, word, 1, 100)
  return owner
}

export function say(word: number, value: number): void {
  const { words } = region()
  store(words, word, value)
  wake(words, word, 1000)
}

/** Takes part, holds a cell, owns a block, and stays for ever. */
export function holdAndStay(word: number, cell: number): void {
  receive(cell)
  allocate(1000, kinds.payload)
  say(word, 1)
  for (;;) sleepOn(region().words, word, 1, 1000)
}

/** Makes cells in which nothing is, owns a block, says who it is, and stays for ever. */
export function makeAndStay(word: number, ...made: readonly number[]): void {
  for (const kind of made) makeCell(kind, 100)
  allocate(1000, kinds.payload)
  store(region().words, word + 1, me())
  say(word, 1)
  for (;;) sleepOn(region().words, word, 1, 1000)
}

/** Destroys a queue, and is killed when it is half done: what lies in the middle does it. */
export function dieInDestroy(): void {
  const queue = new Queue()
  const [one] = Pipe()
  for (let i = 0; i < 2000; i++) queue.putNowait(i === 1000 ? one : i)
  one.close()
  defineKind(kinds.end, { destroy: () => void process.kill(process.pid, 'SIGKILL') })
  queue.close()
}

/** Says that it begins, then grows two words together, always under the guard, until it is killed. */
export function growTwo(first: number, word: number): void {
  const { words } = region()
  say(word, 1)
  const [guard, one, other] = [first, first + 1, first + 2]
  for (;;) {
    if (enter(words, guard)) store(words, one, load(words, other)) // the second is written last
    if (load(words, one) !== load(words, other)) add(words, first + 3, 1)
    store(words, one, load(words, one) + 1)
    store(words, other, load(words, other) + 1)
    leave(words, guard)
  }
}

/**
 * Takes blocks of random sizes, marks both of their ends, and gives them back if the marks are still there;
 * counts those that are not. For so many rounds, or until it is killed.
 */
export function churn(seed: number, rounds: number, broken: number): void {
  const { words, slice } = region()
  const next = random(seed)
  const mine: { address: number; mark: number }[] = []
  const ends = (address: number): Int32Array[] => {
    const bytes = capacityOf(address)
    const all = slice(address, bytes)
    return [0, bytes - 64].map((from) => new Int32Array(all.buffer, all.byteOffset + from, 1))
  }
  for (let round = 0; round < rounds; round++) {
    if (mine.length < 20 && next() < 0.6) {
      const address = allocate(2 ** (4 + next() * 14), kinds.payload)
      const mark = 1 + Math.floor(next() * 2 ** 30)
      for (const end of ends(address)) end[0] = mark
      mine.push({ address, mark })
    } else if (mine.length > 0) {
      const { address, mark } = mine.splice(Math.floor(next() * mine.length), 1)[0]
      if (ends(address).some((end) => end[0] !== mark)) add(words, broken, 1)
      free(address)
    }
  }
  for (const { address } of mine) free(address)
}

/** Waits for tokens and hands each on, `rounds` times; synchronously and not in turn. */
export async function relay(from: number, to: number, rounds: number, loop: boolean): Promise<number> {
  let got = 0
  for (let i = 0; i < rounds; i++) {
    got += (loop ? await park(wantToken(from)) : parkSync(wantToken(from)))!
    putToken(to)
  }
  return got
}

/** Has its bell, says so, and waits for a token. */
export async function waitForOne(first: number, word: number, loop: boolean): Promise<void> {
  onRing(() => {})
  say(word, 1)
  if (loop) await park(wantToken(first))
  else parkSync(wantToken(first))
}

export function sharedCell(cell: number): number {
  receive(cell)
  return add(region().words, cellWord(cell), 1)
}

/** Another process, from within one: the memory of the first. */
export async function grandchild(cell: number): Promise<number> {
  const child = new Process({ target: sharedCell, args: [cell] }).start()
  const result = await child.result
  await child.join()
  return result
}

export function attendOnce(): number {
  return me()
}

export function childReason(): string | undefined {
  return unmappedReason()
}

export function blockWord(bytes = 64): number {
  return wordAt(allocate(bytes, kinds.payload))
}

/** The same without an end, until its write with this number; says who it is first. */
export function churnAndDie(seed: number, broken: number, word: number, write: number): void {
  store(region().words, word, me())
  dieAt(write)
  churn(seed, Infinity, broken)
}
