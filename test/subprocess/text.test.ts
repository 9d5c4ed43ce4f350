/** Text mode: encodings and line ends, however the bytes were cut on their way. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { Output } from '#plait/subprocess/output.js'
import { checkOutput, PIPE, Popen, run, runSync } from 'plait/subprocess'
import { checkLeaks } from '../leaks.js'
import { node } from './kit.js'

checkLeaks()

/** What comes out of an Output that is fed these chunks. */
async function through(chunks: Iterable<Uint8Array>, encoding: BufferEncoding): Promise<string> {
  const output = new Output(encoding)
  for (const chunk of chunks) output.write(chunk)
  output.end()
  let text = ''
  for await (const part of output) {
    assert.equal(typeof part, 'string')
    text += part as string
  }
  return text
}

/** The bytes cut at these places. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const at = [0, ...places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  return at.slice(1).map((end, i) => bytes.subarray(at[i], end))
}

const universal = (text: string): string => text.replaceAll(/\r\n|\r/g, '\n')
const encodings = [
  'utf8',
  'utf-8',
  'utf16le',
  'ucs2',
  'latin1',
  'binary',
  'ascii',
  'base64',
  'base64url',
  'hex',
] as const

test('text comes out the same wherever the bytes are cut', async () => {
  const unit = fc.constantFrom('\r', '\n', '\r\n', 'a', 'é', '€', '😀', '\u2028', '\0')
  await fc.assert(
    fc.asyncProperty(
      fc.string({ unit, maxLength: 30 }),
      fc.constantFrom(...encodings),
      fc.array(fc.nat(), { maxLength: 6 }),
      async (text, encoding, places) => {
        const bytes = Buffer.from(text, /^(base|hex)/.test(encoding) ? 'utf8' : encoding)
        assert.equal(await through(cut(bytes, places), encoding), universal(bytes.toString(encoding)))
      },
    ),
    { seed: 11, numRuns: 1000 },
  )
})

test('any bytes, cut into single ones', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 40 }),
      fc.constantFrom(...encodings),
      async (array, encoding) => {
        const bytes = Buffer.from(array)
        const single = Array.from(bytes, (byte) => Buffer.of(byte))
        // A sequence that is broken and cut gives as many replacement characters as the decoder sees fit.
        const loose = (text: string): string => universal(text).replaceAll(/\ufffd+/g, '\ufffd')
        assert.equal(loose(await through(single, encoding)), loose(bytes.toString(encoding)))
      },
    ),
    { seed: 12, numRuns: 1000 },
  )
})

test('half a surrogate pair in UTF-16 passes through', async () => {
  assert.equal(await through([Buffer.of(0x00, 0xd8, 0x41, 0x00)], 'utf16le'), '\ud800A')
})

test('line ends are \\n from run, runSync and the stream', async () => {
  const program = ['printf', String.raw`a\r\nb\rc\nd\r`]
  const all = { captureOutput: true, encoding: 'utf8' } as const
  assert.equal((await run(program, all)).stdout, 'a\nb\nc\nd\n')
  assert.equal(runSync(program, all).stdout, 'a\nb\nc\nd\n')
  await using p = new Popen(program, { stdout: PIPE, encoding: 'utf8' })
  let text = ''
  for await (const chunk of p.stdout!) text += chunk
  assert.equal(text, 'a\nb\nc\nd\n')
  assert.deepEqual(await checkOutput(program), Buffer.from('a\r\nb\rc\nd\r'), 'bytes stay as they are')
})

test('a \\r at the end of one write and a \\n at the start of the next are one line end', async () => {
  const program = node(`process.stdout.write('a\\r'); process.stdin.once('data', () => {
    process.stdout.write('\\nb\\r'); process.exit() })`)
  await using p = new Popen(program, { stdin: PIPE, stdout: PIPE, encoding: 'utf8' })
  const first = await new Promise((resolve) => p.stdout!.once('data', resolve))
  assert.equal(first, 'a')
  const [rest] = await p.communicate({ input: 'go' })
  assert.equal(rest, '\nb\n')
})

test('input is written in the encoding', async () => {
  const text = 'grüße €\n'
  for (const encoding of ['utf8', 'utf16le', 'latin1'] as const) {
    const input = encoding === 'latin1' ? 'grüße\n' : text
    const hex = ['od', '-An', '-tx1', '-v']
    const bytes = Buffer.from(input, encoding).toString('hex')
    const p = new Popen(hex, { stdin: PIPE, stdout: PIPE, encoding })
    const raw = Buffer.from((await p.communicate({ input }))[0] as string, encoding).toString('latin1')
    assert.equal(raw.replaceAll(/\s/g, ''), bytes)
    assert.equal((await run(['cat'], { input, captureOutput: true, encoding })).stdout, input)
    assert.equal(runSync(['cat'], { input, captureOutput: true, encoding }).stdout, input)
  }
  assert.equal(
    (await run(['cat'], { input: 'aGk=', captureOutput: true, encoding: 'base64' })).stdout,
    'aGk=',
  )
  assert.deepEqual((await run(['cat'], { input: 'ü', captureOutput: true })).stdout, Buffer.from('ü'))
})
