/**
 * The door of the sending side: a value that may hold functions, classes and instances becomes a payload.
 * Called by worker/ and pool/ at submit; synchronous, so that it is a snapshot. Importing this file loads
 * neither the parser nor the inspector; `prewarm` does, while workers start.
 */
import { runInThisContext } from 'node:vm'
import { Carried } from '../codec/handles.ts'
import { cannotSend } from '../codec/path.ts'
import { Writer } from '../codec/writer.ts'
import { ownedVariables } from './initializer.ts'
import { Inspection } from './walk/inspector.ts'
import type { OwnedVariables } from './walk/owned.ts'
import { isEntryUrl } from './names/entry.ts'
import { readTables } from './names/imports.ts'
import { inVariable } from './walk/errors.ts'
import { writePlain } from './plain.ts'
import { scripts } from './walk/scripts.ts'
import { commonVariable, sharedVariables, type SharedVariables } from './walk/shared.ts'
import { isStable, keepStable, stablePayload } from './walk/stable.ts'
import type { Cell, Template } from './unit.ts'
import { Walk, type Captured } from './walk/walk.ts'

export { ownedVariables }
export type { OwnedVariables, Template }

export interface CaptureOptions {
  /** Names the root in errors: 'the function given to pool.map'. */
  readonly what: string
  /** Variables that the pool's initializer owns. */
  readonly owned?: OwnedVariables | undefined
  /** The home id of the one receiver: classes that it brought itself are sent by id alone. */
  readonly receiver?: string | undefined
  /** The receiver is a thread of this process, or whoever shares what the handles in it stand for. */
  readonly inside?: boolean | undefined
  /** What becomes of handles in it. By default capture lends them, the others give them. */
  readonly carried?: Carried | undefined
}

/** One captured value, ready to send any number of times. */
export interface Payload {
  /** Unique per Payload object in this process. */
  readonly id: number
  /** These must reach the receiver before the bytes; that of the root function comes first. */
  readonly templates: readonly Template[]
  readonly bytes: Buffer
  /**
   * What was captured: alive as long as the payload is, so that instances of its classes find their home.
   * Undefined for a stable function, which is kept for long and would keep all that its scope holds.
   */
  readonly value: unknown
  /**
   * Handles in it. Where they are lent, `drop` them when nobody will read it any more, or leave that to the
   * collector.
   */
  readonly lent: Carried
  /** Nothing captured can change: capturing the same function again returns this very object. */
  readonly stable: boolean
  /** What arguments may have in common with it; null where nothing can change. */
  readonly variables: SharedVariables | null
}

let lastId = 0

/** Payloads with handles that nobody has any more. */
const forgotten = new FinalizationRegistry<Carried>((lent) => lent.drop())

/** Captures `value`. Throws SerializationError where something in it cannot travel. */
export function capture(value: unknown, options: CaptureOptions): Payload {
  const known = typeof value === 'function' ? stablePayload(value, options) : undefined
  if (known !== undefined) return known
  const { carried = new Carried(true, options.inside) } = options
  const walk = new Walk({ ...options, carried })
  const { templates, bytes } = write(walk, value)
  const stable = typeof value === 'function' && isStable(value, walk)
  const variables = stable || walk.units.length === 0 ? null : sharedVariables(walk)
  const kept = stable ? undefined : value
  const payload: Payload = { value: kept, lent: carried, id: ++lastId, templates, bytes, stable, variables }
  if (carried.lent && !carried.empty) forgotten.register(payload, carried)
  if (stable) keepStable(value, payload, options, walk)
  return payload
}

/** Payloads are written here and copied out, so that no capture pays for the growth of a buffer. */
const scratch = new Writer(64 * 1024)
const mostScratch = 16 * 1024 * 1024
let scratchIsBusy = false

function write(walk: Walk, value: unknown): { templates: readonly Template[]; bytes: Buffer } {
  // A reducer may capture while another capture is at work.
  const nested = scratchIsBusy
  const writer = nested ? new Writer(1024) : scratch
  scratchIsBusy = true
  writer.pos = 0
  try {
    const templates = walk.run(value, writer)
    return { templates, bytes: Buffer.from(writer.bytes.subarray(0, writer.pos)) }
  } finally {
    scratchIsBusy = nested
    if (scratch.bytes.length > mostScratch) scratch.bytes = Buffer.allocUnsafeSlow(64 * 1024)
  }
}

/**
 * For arguments and results: writes at writer.pos. Plain data costs one byte more than the codec. Returns the
 * templates that the receiver must have first, or null where there are none. On a throw writer.pos is as
 * before.
 */
export function captureInto(
  writer: Writer,
  value: unknown,
  options: CaptureOptions,
): readonly Template[] | null {
  if (writePlain(writer, value, options.what, options.carried)) return null
  const templates = new Walk(options).run(value, writer)
  return templates.length === 0 ? null : templates
}

/** Arguments as they were written. */
export interface CapturedArguments {
  readonly templates: readonly Template[] | null
  /** What was written is [function, ...args]: they have a variable in common. */
  readonly together: boolean
}

/**
 * As captureInto, for what `fn` is called with; null where that is plain data. A variable that both use is
 * one variable in the receiver, with the value of the moment when `fn` was captured: where `fn` is another
 * one by now, that is an error.
 */
export function captureArguments(
  writer: Writer,
  args: readonly unknown[],
  options: CaptureOptions,
  fn: Payload,
): CapturedArguments | null {
  if (writePlain(writer, args, options.what, options.carried, true)) return null
  const start = writer.pos
  const walk = new Walk(options)
  const templates = walk.run(args, writer)
  const common = fn.variables === null ? undefined : commonVariable(fn.variables, sharedVariables(walk))
  if (common === undefined) return { templates: templates.length === 0 ? null : templates, together: false }
  writer.pos = start
  if (!write(new Walk(options), fn.value).bytes.equals(fn.bytes)) throw refuseLate(walk, common)
  return { templates: new Walk(options).run([fn.value, ...args], writer), together: true }
}

function refuseLate({ units }: Walk, cell: Cell): unknown {
  const holder = units.find(({ unit }) => [...(unit?.cells.values() ?? [])].includes(cell)) as Captured
  const error = cannotSend(
    'the function that this is given to uses it too, and has changed since it was submitted',
    'Submit what is there already, as an array',
  )
  return inVariable(error, holder, cell.name)
}

let isWarm = false

/**
 * Does what the first capture needs, once: best while workers start. The function that it captures stands in
 * a script of its own, so that nothing is read of plait's; the program's own file, where most functions
 * stand, is.
 */
export function prewarm(): void {
  if (isWarm) return
  isWarm = true
  let inspection: Inspection | null = null
  try {
    const some = runInThisContext('{ const some = 0; () => some }', { filename: 'plait:prewarm' }) as object
    new Walk({ what: 'nothing' }).run(some, new Writer(1024))
    inspection = Inspection.open(scripts)
    const entry = [...scripts.values()].find(({ url }) => isEntryUrl(url))
    if (entry !== undefined && inspection !== null) readTables(entry, inspection)
  } catch {
    // Whatever it is, the first capture will say it, to whom it concerns.
  } finally {
    inspection?.close()
  }
}
