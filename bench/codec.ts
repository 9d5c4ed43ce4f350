/**
 * The codec beside JSON, v8.serialize and msgpackr: `node build/bench/codec.js [part of a name…]`. Each
 * contender writes a message into one buffer of its own and reads it back from there; rounds are
 * interleaved, and each figure is the median of the rounds, in nanoseconds a message. The last column is
 * what counts: how often plait's time fits into the best rival's, both ways together. JSON is left out
 * where it would lose the value.
 */
import { deserialize, serialize } from 'node:v8'
import { Packr } from 'msgpackr'
import { decode } from '#plait/codec/decode.js'
import { encode } from '#plait/codec/encode.js'
import { Writer } from '#plait/codec/writer.js'
import { median } from './measure.ts'

interface Codec {
  readonly name: string
  /** Writes the value where `read` finds it. */
  write(value: unknown): void
  read(): unknown
}

interface Subject {
  readonly name: string
  /** A few different values of one kind. */
  readonly values: readonly unknown[]
  readonly json: boolean
}

const many = <T>(make: (i: number) => T): T[] => Array.from({ length: 64 }, (_, i) => make(i * 7))
const numbers = (n: number, make: (i: number) => number): number[] =>
  Array.from({ length: n }, (_, i) => make(i))

const subjects: readonly Subject[] = [
  { name: 'small message', json: true, values: many((i) => ({ id: i, args: [i] })) },
  { name: '[7]', json: true, values: many((i) => [i]) },
  { name: '{ x, y }', json: true, values: many((i) => ({ x: i, y: i * 2 })) },
  { name: 'a mixed array', json: true, values: many((i) => ['a', i, true, null]) },
  { name: 'medium object', json: true, values: many(medium) },
  { name: 'a number', json: true, values: many((i) => i) },
  { name: '1000 ints', json: true, values: [numbers(1000, (i) => i * 31)] },
  { name: '1000 floats', json: true, values: [numbers(1000, (i) => Math.sin(i))] },
  {
    name: '1000 small objects',
    json: true,
    values: [Array.from({ length: 1000 }, (_, i) => ({ id: i, name: `n${i}` }))],
  },
  {
    name: '200 k small objects',
    json: true,
    values: [Array.from({ length: 200_000 }, (_, i) => ({ id: i, ok: true }))],
  },
  {
    name: 'a Map of 20',
    json: false,
    values: [new Map(Array.from({ length: 20 }, (_, i) => [`key${i}`, i]))],
  },
  { name: 'an Error', json: false, values: [new TypeError('something is wrong')] },
  { name: '100 kB Buffer', json: false, values: [Buffer.alloc(100_000, 'plait')] },
  { name: 'short string', json: true, values: many((i) => `hello ${i}`) },
  { name: 'long ascii string', json: true, values: ['The quick brown fox. '.repeat(500)] },
  { name: 'long unicode string', json: true, values: ['Größe, 日本語, 😀. '.repeat(500)] },
]

function medium(i: number): unknown {
  return {
    id: i,
    type: 'task',
    user: { name: 'Ada Lovelace', age: 36, admin: true },
    tags: ['alpha', 'beta', 'gamma'],
    score: 0.75 * i,
    at: '2026-11-23',
  }
}

const codecs: readonly Codec[] = [plait(), json(), v8(), msgpackr()]
const rounds = 11
/** Long enough for the clock, short enough for many rounds. */
const roundMs = 12
const warmMs = 300

function plait(): Codec {
  const writer = new Writer(1 << 20)
  return {
    name: 'plait',
    write(value) {
      writer.pos = 0
      encode(value, writer)
    },
    read: () => decode(writer.bytes, 0, writer.pos),
  }
}

function json(): Codec {
  const target = Buffer.allocUnsafe(1 << 25)
  let size = 0
  return {
    name: 'JSON',
    write(value) {
      size = target.write(JSON.stringify(value), 0, 'utf8')
    },
    read: () => JSON.parse(target.toString('utf8', 0, size)) as unknown,
  }
}

/** Both make a Buffer of their own, which then has to go into the channel's. */
function copying(name: string, pack: (value: unknown) => Buffer, unpack: (bytes: Buffer) => unknown): Codec {
  const target = Buffer.allocUnsafe(1 << 25)
  let size = 0
  return {
    name,
    write(value) {
      const bytes = pack(value)
      target.set(bytes, 0)
      size = bytes.length
    },
    read: () => unpack(target.subarray(0, size)),
  }
}

function v8(): Codec {
  return copying('v8', serialize, deserialize)
}

function msgpackr(): Codec {
  // moreTypes is what makes it keep Map and Error.
  const packr = new Packr({ moreTypes: true })
  return copying(
    'msgpackr',
    (value) => packr.pack(value),
    (bytes) => packr.unpack(bytes),
  )
}

/** Nanoseconds a call of `run`, over enough calls to fill a round. */
function time(run: (i: number) => void, calls: number): number {
  const start = process.hrtime.bigint()
  for (let i = 0; i < calls; i++) run(i)
  return Number(process.hrtime.bigint() - start) / calls
}

function measure(subject: Subject): void {
  const { values } = subject
  const rivals = codecs.filter(({ name }) => subject.json || name !== 'JSON')
  const tasks = rivals.map((codec) => {
    const write = (i: number): void => codec.write(values[i % values.length])
    const both = (i: number): void => {
      write(i)
      codec.read()
    }
    // Until the optimizing compiler is through: it works beside us, and takes its time on a busy machine.
    const warm = performance.now() + warmMs
    while (performance.now() < warm) time(both, 10)
    const calls = Math.max(1, Math.min(50_000, Math.round((roundMs * 1e6) / time(both, 10))))
    return { codec, write, calls, writes: [] as number[], reads: [] as number[] }
  })
  for (let round = -1; round < rounds; round++)
    for (const { codec, write, calls, writes, reads } of tasks) {
      const wrote = time(write, calls)
      const read = time(() => void codec.read(), calls)
      if (round >= 0) {
        writes.push(wrote)
        reads.push(read)
      }
    }
  const rows = tasks.map(({ codec, writes, reads }) => ({
    name: codec.name,
    write: median(writes),
    read: median(reads),
  }))
  const sums = rows.map(({ write, read }) => write + read)
  const figures = rows.map(({ name, write, read }) => `${name} ${show(write)}+${show(read)}`.padEnd(24))
  const best = (Math.min(...sums.slice(1)) / sums[0]).toFixed(2)
  console.log(`${subject.name.padEnd(20)} ${figures.join(' ')} ${best}x the best of them`)
}

function show(ns: number): string {
  return ns < 10_000 ? ns.toFixed(0) : ns < 1e7 ? `${(ns / 1000).toFixed(0)}k` : `${(ns / 1e6).toFixed(1)}M`
}

console.log(`Node ${process.version}: ns to write + ns to read, medians of ${rounds} interleaved rounds`)
const filters = process.argv.slice(2)
for (const subject of subjects)
  if (filters.length === 0 || filters.some((filter) => subject.name.includes(filter))) measure(subject)
