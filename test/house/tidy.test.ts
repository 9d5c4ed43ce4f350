/**
 * The house style, held by a test: tools/tidy.ts looks at every file that we wrote. The second half proves
 * that each rule sees what it forbids.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readSources } from '../../tools/sources.ts'
import { idleExceptions, tidyViolations } from '../../tools/tidy.ts'

const ours = readSources(['src', 'test', 'tools', 'bench', 'examples'], ['.ts', '.mjs'])

test('every file keeps to the house style', () => {
  assert.ok(ours.length > 0)
  const found = tidyViolations(ours)
  assert.equal(found.length, 0, found.join('\n'))
})

test('every exception is still needed', () => {
  const idle = idleExceptions(ours)
  assert.equal(idle.length, 0, idle.join('\n'))
})

const opening = '/** A small file that a test made up: nobody calls it, and it never does anything. */\n'
const lines = (count: number): string => 'work()\n'.repeat(count)

const untidy: Record<string, { path?: string; text: string; says: RegExp }> = {
  'no opening': { text: 'export const a = 1', says: /:1: open the file/ },
  'an opening that says nothing': { text: '/** Utils. */\nexport const a = 1', says: /:1: open the file/ },
  'a long file': { text: opening + lines(400), says: /401 lines: split/ },
  'a long line': { text: `${opening}export const a = '${'x'.repeat(100)}'`, says: /:2: \d+ columns/ },
  'a long function': {
    text: `${opening}export function a() {\n${lines(69)}}`,
    says: /:2: a function of 71 lines/,
  },
  'a long method': {
    text: `${opening}export class A { m() {\n${lines(69)}}\n}`,
    says: /a function of 71 lines/,
  },
  'a long arrow': {
    text: `${opening}export const a = () => {\n${lines(69)}}`,
    says: /a function of 71 lines/,
  },
  'a marker': { text: `${opening}// TODO later`, says: /:2: TODO: do it now/ },
  'a silenced type error': { text: `${opening}// @ts-ignore\nwork()`, says: /@ts-expect-error/ },
  'a breakpoint': { text: `${opening}debugger`, says: /debugger: take it out/ },
  'atomics of its own': { text: `${opening}Atomics.load(words, 0)`, says: /:2: Atomics: call those of/ },
  'a test left out': { path: 'test/x.test.ts', text: `${opening}test.skip('x')`, says: /test\.skip: run it/ },
}

for (const [what, { path = 'src/core/x.ts', text, says }] of Object.entries(untidy)) {
  test(`caught: ${what}`, () => {
    const found = tidyViolations([{ path, text }])
    assert.equal(found.length, 1, found.join('\n'))
    assert.match(found[0] ?? '', says)
  })
}

test('a tidy file passes', () => {
  const text = `#!/usr/bin/env node\n${opening}export function a() {\n${lines(68)}}`
  assert.deepEqual(tidyViolations([{ path: 'src/core/x.ts', text }]), [])
})
