/**
 * Where there is no inspector: a function is its text, and every name that it does not bind is a global or
 * was given by `withDeps`. Called by the finder; the error lists what is missing.
 */
import { cannotSend } from '../../codec/path.ts'
import { refuseText, refuseThis, subjectOf, type Holder } from './errors.ts'
import { analyse } from '../text/parse.ts'
import type { Cell, Script, Unit } from '../unit.ts'
import { globalNames } from '../names/wellknown.ts'

const script: Script = { id: 'text', url: 'plait:text', kind: 'other', strict: true, sourceMapURL: undefined }

/** A unit made of text and deps alone. */
export function findByText(
  fn: Function,
  holder: Holder,
  deps: ReadonlyMap<string, unknown> | undefined,
): Unit {
  const text = Function.prototype.toString.call(fn)
  const analysis = analyse(text)
  const name = subjectOf(holder)
  const refusal = refuseText(analysis, name)
  if (refusal !== undefined) throw refusal
  if (analysis.outer.this) throw refuseThis(name)
  const meta = analysis.metas.length > 0 ? 'import.meta' : 'import()'
  if (analysis.metas.length > 0 || analysis.imports.length > 0)
    throw cannotSend(
      `${name} uses ${meta}, and without an inspector its file is not known`,
      'Pass what it needs with withDeps(fn, { … })',
    )
  const cells = new Map<string, Cell>()
  const missing: string[] = []
  for (const free of [...analysis.free.values(), ...analysis.keyNames.values()]) {
    if (deps?.has(free.name) === true)
      cells.set(free.name, {
        name: free.name,
        assigned: free.assigned,
        owned: undefined,
        value: deps.get(free.name),
      })
    else if (!globalNames.has(free.name) && !free.onlyTypeof) missing.push(free.name)
  }
  if (missing.length > 0) throw refuseMissing(name, fn, missing)
  return {
    value: fn,
    kind: analysis.kind,
    text,
    analysis,
    script,
    line: 0,
    column: 0,
    cells,
    home: undefined,
  }
}

function refuseMissing(name: string, fn: Function, missing: readonly string[]): Error {
  const uses = missing.map((one) => `\`${one}\``).join(', ')
  const call = `withDeps(${fn.name === '' ? 'fn' : fn.name}, { ${missing.join(', ')} })`
  return cannotSend(
    `cannot read closures here (no inspector): ${name} uses ${uses}`,
    `Pass them with ${call}`,
  )
}
