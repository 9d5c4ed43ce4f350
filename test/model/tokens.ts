/**
 * A small thing to wait for, built on the room's own parts: a number of tokens, and a line of those who want
 * one. A token that comes while somebody waits is handed over. Used by the scenarios, and by test/memory.
 */
import { load, store } from '#plait/memory/atomics.js'
import { enter, leave } from '#plait/memory/guard.js'
import { listWords } from '#plait/memory/layout.js'
import type { Wait } from '#plait/memory/park.js'
import { region } from '#plait/memory/region.js'
import { grantFirst, purge, push, pushFirst, remove, tell } from '#plait/memory/waiters.js'

const GUARD = 0
const TOKENS = 1
const LINE = 2

export const tokenWords = LINE + listWords

/** Adds one, or hands it to the first in line. */
export function putToken(first: number): void {
  const { words } = region()
  inside(first)
  const node = grantFirst(words, first + LINE, 1)
  if (node === 0) store(words, first + TOKENS, load(words, first + TOKENS) + 1)
  leave(words, first + GUARD)
  if (node !== 0) tell(words, node)
}

/** To be parked for: one token. */
export function wantToken(first: number): Wait<number> {
  const { words } = region()
  return {
    begin(node, again) {
      inside(first)
      const tokens = load(words, first + TOKENS)
      if (tokens > 0) store(words, first + TOKENS, tokens - 1)
      else if (again) pushFirst(words, first + LINE, node)
      else push(words, first + LINE, node)
      leave(words, first + GUARD)
      return tokens > 0 ? 1 : undefined
    },
    granted: () => 1,
    cancel(node, granted) {
      inside(first)
      remove(words, first + LINE, node)
      leave(words, first + GUARD)
      if (granted) putToken(first)
    },
  }
}

export function tokensOf(first: number): number {
  return load(region().words, first + TOKENS)
}

function inside(first: number): void {
  const { words } = region()
  if (enter(words, first + GUARD)) purge(words, first + LINE)
}
