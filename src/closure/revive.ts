/**
 * Turns payloads back into values: the way back of capture, in the steps that README.md counts. Called by
 * worker/ and pool/ on whichever side receives; loads neither acorn nor the inspector, runs no constructor
 * of the user's, and never runs the entry module.
 */
import { textOf } from '../core/text.ts'
import { decode } from '../codec/decode.ts'
import { addTemplate, templateOf } from './receive/factory.ts'
import { finishHome } from './receive/instances.ts'
import { load } from './receive/references.ts'
import { Revival } from './receive/revival.ts'
import { form, type Prelude } from './wire.ts'

/** Reads the payloads that one sender writes. */
export class Reviver {
  /** What prepare has read and revive will need next. */
  #next: { bytes: Buffer; start: number; prelude: Prelude } | undefined

  /** Takes in code that payloads to come will name. */
  addTemplate(bytes: Buffer): void {
    addTemplate(bytes)
  }

  /**
   * Imports the modules that a payload needs. Undefined where revive can be called at once. Rejects, never
   * throws.
   */
  prepare(bytes: Buffer, start: number, end: number): Promise<void> | undefined {
    this.#next = undefined
    if (bytes[start] === form.plain) return undefined
    try {
      const prelude = preludeOf(bytes, start, end)
      this.#next = { bytes, start, prelude }
      const waits: Promise<void>[] = []
      for (const [index, reference] of prelude.references.entries()) {
        const loading = load(reference)
        if (loading !== undefined)
          waits.push(loading.catch((error: unknown) => rejectImport(prelude, index, error)))
      }
      return waits.length === 0 ? undefined : Promise.all(waits).then(() => {})
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** The value. What it needs has to be here: templates by addTemplate, modules by prepare. */
  revive(bytes: Buffer, start: number, end: number): unknown {
    if (bytes[start] === form.plain) return decode(bytes, start + 1, end)
    const next = this.#next
    this.#next = undefined
    const prelude =
      next?.bytes === bytes && next.start === start ? next.prelude : preludeOf(bytes, start, end)
    const body = start + headLength
    try {
      return decode(bytes, body, body + bytes.readUInt32LE(start + 1), new Revival(prelude))
    } finally {
      finishHome()
    }
  }
}

/** The form byte and the body's length. */
const headLength = 5

function preludeOf(bytes: Buffer, start: number, end: number): Prelude {
  return decode(bytes, start + headLength + bytes.readUInt32LE(start + 1), end) as Prelude
}

/** Says which module, and for which function of the payload. */
function rejectImport({ references, early, groups }: Prelude, index: number, cause: unknown): never {
  const [, from, specifier, , name] = references[index] as readonly unknown[] as readonly string[]
  const cell = early.find(([, value]) => value[0] === 'reference' && value[1] === index)?.[0]
  const user = groups.find(({ cells }) => cell !== undefined && cells.includes(cell))
  const unit = user === undefined ? undefined : templateOf(user.template).units[0]
  const whom =
    unit === undefined ? '' : ` for the function ${unit.name || '(anonymous)'} (line ${unit.line + 1})`
  const why = textOf(cause)
  // A function that its own module exports; else an import that the script at `from` makes.
  const what = from === specifier ? `, which exports \`${name}\`,` : ` of ${from}`
  throw new Error(`cannot import ${specifier}${what}${whom} in this process: ${why}`, { cause })
}
