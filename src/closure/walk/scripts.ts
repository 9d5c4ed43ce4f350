/**
 * What is known of each script of this process: its URL and kind, its source and line table, and what follows
 * from them. Filled by inspector, asked by capture and modules. Nothing here is ever forgotten but by the
 * process's end: V8 does not reuse script ids, and a source is held only for scripts whose functions were
 * captured.
 */
import { isCommonjs } from '../names/commonjs.ts'
import type { Inspection, Location } from './inspector.ts'
import type { Script } from '../unit.ts'

/** As V8 reported it. */
export interface ScriptInfo {
  readonly id: string
  /** A URL, a file's path, or whatever name the script was given. */
  readonly url: string
  readonly isModule: boolean
  readonly sourceMapURL: string | undefined
  /** Where the script begins in what its positions count: not 0 for some that vm made. */
  readonly startLine: number
  readonly startColumn: number
  source: string | undefined
}

/** Every script that the inspector has told of, by id. */
export const scripts = new Map<string, ScriptInfo>()

const described = new WeakMap<ScriptInfo, Script>()
const lineStarts = new WeakMap<ScriptInfo, readonly number[]>()

/** A script in the words of a Unit. */
export function describeScript(info: ScriptInfo, inspection: Inspection): Script {
  let script = described.get(info)
  if (script === undefined) {
    const source = inspection.source(info)
    const kind = info.isModule ? 'module' : isCommonjs(info.url) ? 'commonjs' : 'other'
    const strict = info.isModule || hasUseStrict(source)
    script = { id: info.id, url: info.url, kind, strict, sourceMapURL: info.sourceMapURL }
    described.set(info, script)
  }
  return script
}

/** Where `text`, which holds the location, begins; the location itself where the source does not show it. */
export function textStart(
  info: ScriptInfo,
  location: Location,
  text: string,
  inspection: Inspection,
): { line: number; column: number } {
  const source = inspection.source(info)
  const starts = lineTable(info, source)
  const at = offsetOf(info, location, source)
  const start = source.lastIndexOf(text, at)
  if (start < 0 || start + text.length < at) return location
  let line = location.line - info.startLine
  while (line > 0 && (starts[line] as number) > start) line--
  const column = start - (starts[line] as number) + (line === 0 ? info.startColumn : 0)
  return { line: line + info.startLine, column }
}

/** Where a location is in the source. */
export function offsetOf(info: ScriptInfo, location: Location, source: string): number {
  const row = location.line - info.startLine
  return (lineTable(info, source)[row] ?? 0) + location.column - (row === 0 ? info.startColumn : 0)
}

function lineTable(info: ScriptInfo, source: string): readonly number[] {
  let starts = lineStarts.get(info)
  if (starts === undefined) {
    const found = [0]
    for (const match of source.matchAll(/\r\n?|[\n\u2028\u2029]/g)) found.push(match.index + match[0].length)
    lineStarts.set(info, (starts = found))
  }
  return starts
}

/** What may stand before a directive, and directives. */
const prologue = /\s+|\/\/[^\n]*|\/\*[\s\S]*?\*\/|#![^\n]*|;|'([^'\n]*)'|"([^"\n]*)"/y

/** Whether one of the directives that a script begins with is 'use strict'. */
function hasUseStrict(source: string): boolean {
  for (let at = 0; ; at = prologue.lastIndex) {
    prologue.lastIndex = at
    const found = prologue.exec(source)
    if (found === null) return false
    if ((found[1] ?? found[2]) === 'use strict') return true
  }
}
