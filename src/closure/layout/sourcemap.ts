/**
 * Source maps: reads a script's own, and writes the one of a factory text, so that stacks of a worker show
 * the author's files. Called by layout alone, and only at work where this process shows mapped stacks
 * itself.
 */
import { readFileSync } from 'node:fs'
import { findSourceMap } from 'node:module'
import type { Edited } from './edits.ts'
import { lineStarts } from './page.ts'
import type { MapData, ScriptMapData } from '../template.ts'
import type { Script, Unit } from '../unit.ts'
import { isMappedByVite } from '../names/vite.ts'

/** A unit's edited text in a factory text. */
export interface Placed {
  readonly unit: Unit
  readonly edited: Edited
  /** Its offset there. */
  readonly start: number
}

/** From a column on, a place in a source; columns ascend within a line. */
type Segment = readonly [
  column: number,
  source: number,
  line: number,
  sourceColumn: number,
  name: number | undefined,
]
type Lines = readonly (readonly Segment[])[]

interface DecodedMap {
  readonly sources: readonly string[]
  readonly names: readonly string[]
  readonly lines: Lines
}

/**
 * The map of a factory text: each unchanged piece of a unit maps to where the script's map sends it, or
 * where the script has no map and `displaced` units stand elsewhere than in it, to the script itself.
 */
export function composeMap(
  script: Script,
  text: string,
  placed: readonly Placed[],
  displaced: boolean,
): MapData | undefined {
  const own = mapOf(script)
  if (own === undefined && !(displaced && process.sourceMapsEnabled)) return undefined
  const starts = lineStarts(text)
  const lines: Segment[][] = starts.map(() => [])
  for (const one of placed) addUnit(one, own, starts, lines)
  for (const line of lines) line.sort((a, b) => a[0] - b[0])
  const used = usedOf(own ?? { sources: [script.url], names: [], lines: [] }, lines)
  return { sources: used.sources, names: used.names, mappings: encodeMappings(used.lines) }
}

/** The script's own map, as far as the units reach. */
export function sliceMap(script: Script, units: readonly Unit[]): ScriptMapData | undefined {
  const own = mapOf(script)
  if (own === undefined) return undefined
  const ranges = units.map(({ line, text }) => [line, line + lineStarts(text).length] as const)
  const first = Math.min(...ranges.map(([from]) => from))
  const last = Math.max(...ranges.map(([, until]) => until))
  const within = (line: number): boolean => ranges.some(([from, until]) => line >= from && line < until)
  const lines = own.lines.slice(first, last).map((segments, index) => (within(first + index) ? segments : []))
  const used = usedOf(own, lines)
  return { line: first, sources: used.sources, names: used.names, mappings: encodeMappings(used.lines) }
}

/** From now on this is the map of a script that only exists in templates. */
export function adoptMap(script: Script, { line, sources, names, mappings }: ScriptMapData): void {
  const before = Array.from({ length: line }, (): Segment[] => [])
  adopted.set(script, { sources, names, lines: [...before, ...decodeMappings(mappings)] })
}

const adopted = new WeakMap<Script, DecodedMap>()

function addUnit(
  { unit, edited, start }: Placed,
  own: DecodedMap | undefined,
  starts: readonly number[],
  lines: Segment[][],
): void {
  const unitStarts = lineStarts(unit.text)
  for (const piece of edited.pieces) {
    let from = piece.from
    const end = piece.from + piece.length
    // One line of the script at a time: `row` is the line within the unit's text.
    for (let row = lineOf(unitStarts, from); from < end; row++) {
      const until = Math.min(end, unitStarts[row + 1] ?? end)
      const generated = start + piece.to + from - piece.from
      const generatedLine = lineOf(starts, generated)
      const generatedColumn = generated - (starts[generatedLine] as number)
      const line = unit.line + row
      const column = from - (unitStarts[row] as number) + (row === 0 ? unit.column : 0)
      const out = lines[generatedLine] as Segment[]
      if (own === undefined) addWords(unit.text.slice(from, until), line, column, generatedColumn, out)
      else addLine(own.lines[line] ?? [], column, column + until - from, generatedColumn - column, out)
      from = until
    }
  }
}

/** Without a map of its own a script maps to itself, word by word: calls and throws begin at words. */
function addWords(text: string, line: number, column: number, generatedColumn: number, out: Segment[]): void {
  for (const { index } of text.matchAll(/[\w$]+|[^\w$\s]/g))
    out.push([generatedColumn + index, 0, line, column + index, undefined])
}

/** The segments of columns [from, until), moved; the first one is whichever holds at `from`. */
function addLine(line: readonly Segment[], from: number, until: number, by: number, out: Segment[]): void {
  let index = lastAtOrBefore(line, from)
  if (index < 0) index = 0
  for (; index < line.length; index++) {
    const segment = line[index] as Segment
    if (segment[0] >= until) return
    out.push([Math.max(segment[0], from) + by, segment[1], segment[2], segment[3], segment[4]])
  }
}

function lastAtOrBefore(line: readonly Segment[], column: number): number {
  let low = 0
  let high = line.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((line[middle] as Segment)[0] <= column) low = middle + 1
    else high = middle
  }
  return low - 1
}

function lineOf(starts: readonly number[], offset: number): number {
  let low = 0
  let high = starts.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((starts[middle] as number) <= offset) low = middle + 1
    else high = middle
  }
  return low - 1
}

/** Keeps the sources and names that are mentioned, renumbered in order of appearance. */
function usedOf(map: DecodedMap, lines: Lines): DecodedMap {
  const sources = new Map<number, number>()
  const names = new Map<number, number>()
  const renumber = (table: Map<number, number>, index: number): number => {
    if (!table.has(index)) table.set(index, table.size)
    return table.get(index) as number
  }
  const renumbered = lines.map((line) =>
    line.map(([column, source, sourceLine, sourceColumn, name]): Segment => [
      column,
      renumber(sources, source),
      sourceLine,
      sourceColumn,
      name === undefined ? undefined : renumber(names, name),
    ]),
  )
  return {
    sources: [...sources.keys()].map((index) => map.sources[index] ?? ''),
    names: [...names.keys()].map((index) => map.names[index] ?? ''),
    lines: renumbered,
  }
}

// ── the script's own map ──

/** By script id; null where there is none. The last few only: a decoded map is large. */
const decoded = new Map<string, DecodedMap | null>()
const mostDecoded = 16

function mapOf(script: Script): DecodedMap | undefined {
  let map = adopted.get(script) ?? decoded.get(script.id)
  if (map === undefined) {
    map = readMap(script) ?? null
    if (decoded.size >= mostDecoded) decoded.clear()
    decoded.set(script.id, map)
  }
  return map ?? undefined
}

interface RawMap {
  readonly sources?: readonly (string | null)[]
  readonly sourceRoot?: string
  readonly names?: readonly string[]
  readonly mappings?: string
}

function readMap(script: Script): DecodedMap | undefined {
  try {
    const { url, sourceMapURL } = script
    let raw = findSourceMap(url)?.payload as RawMap | undefined
    const shown = process.sourceMapsEnabled || isMappedByVite(script)
    if (raw === undefined && shown && sourceMapURL !== undefined) raw = load(sourceMapURL, url)
    if (typeof raw?.mappings !== 'string') return undefined
    const base =
      sourceMapURL === undefined || sourceMapURL.startsWith('data:') ? url : new URL(sourceMapURL, url).href
    const root =
      raw.sourceRoot === undefined || raw.sourceRoot === '' ? '' : raw.sourceRoot.replace(/\/?$/, '/')
    return {
      sources: (raw.sources ?? []).map((source) => resolve(root + (source ?? ''), base)),
      names: raw.names ?? [],
      lines: decodeMappings(raw.mappings),
    }
  } catch {
    // A broken or missing map is no reason to fail: positions are those of the script then, as in this
    // process.
    return undefined
  }
}

function load(sourceMapURL: string, url: string): RawMap {
  const inline = /^data:[^,]*?(;base64)?,/.exec(sourceMapURL)
  if (inline === null) return JSON.parse(readFileSync(new URL(sourceMapURL, url), 'utf8')) as RawMap
  const content = sourceMapURL.slice(inline[0].length)
  const text =
    inline[1] === undefined ? decodeURIComponent(content) : Buffer.from(content, 'base64').toString()
  return JSON.parse(text) as RawMap
}

function resolve(source: string, base: string): string {
  if (/^\w[\w+.-]+:/.test(source)) return source
  const from = base.startsWith('/') ? `file://${base}` : base
  return URL.canParse(source, from) ? new URL(source, from).href : source
}

// ── base 64 VLQ ──

const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const valueOf = new Map([...digits].map((digit, value) => [digit, value]))

/** `mappings` as segments by line; those without a source are left out. */
export function decodeMappings(mappings: string): Lines {
  let source = 0
  let line = 0
  let column = 0
  let name = 0
  return mappings.split(';').map((row) => {
    const segments: Segment[] = []
    let generated = 0
    for (const text of row.split(',')) {
      if (text === '') continue
      const [first = 0, ...rest] = decodeNumbers(text)
      generated += first
      if (rest.length < 3) continue
      source += rest[0] as number
      line += rest[1] as number
      column += rest[2] as number
      if (rest[3] !== undefined) name += rest[3]
      segments.push([generated, source, line, column, rest[3] === undefined ? undefined : name])
    }
    return segments.sort((a, b) => a[0] - b[0])
  })
}

/** The way back. */
export function encodeMappings(lines: Lines): string {
  const last: [number, number, number, number] = [0, 0, 0, 0]
  const rows = lines.map((line) => {
    let generated = 0
    const texts = line.map((segment) => {
      let text = encodeNumber(segment[0] - generated)
      generated = segment[0]
      for (const [index, value] of segment.slice(1).entries()) {
        if (value === undefined) continue
        text += encodeNumber(value - (last[index] as number))
        last[index] = value
      }
      return text
    })
    return texts.join()
  })
  return rows.join(';').replace(/;+$/, '')
}

function decodeNumbers(text: string): number[] {
  const numbers: number[] = []
  let value = 0
  let shift = 0
  for (const digit of text) {
    const bits = valueOf.get(digit) ?? 0
    value += (bits & 31) << shift
    shift += 5
    if ((bits & 32) !== 0) continue
    numbers.push((value & 1) === 0 ? value >>> 1 : -(value >>> 1))
    value = shift = 0
  }
  return numbers
}

function encodeNumber(value: number): string {
  let rest = value < 0 ? (-value << 1) | 1 : value << 1
  let text = ''
  do {
    const bits = rest & 31
    rest >>>= 5
    text += digits[rest > 0 ? bits | 32 : bits]
  } while (rest > 0)
  return text
}
