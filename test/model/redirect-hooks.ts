/**
 * The two hooks of redirect.ts, in both forms: called synchronously, and in the hooks' own thread of Node 20.
 */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** A mistake put into a copy of the library: that the checker finds it is what shows that it looks. */
export interface Flaw {
  /** Below build/src/: 'memory/guard.js'. */
  readonly file: string
  readonly from: string
  readonly to: string
  /** It shows only where somebody dies; else it is looked for without deaths, which is quicker. */
  readonly deadly?: true
}

interface Found {
  readonly url: string
}

let flaw: Flaw | undefined

export function initialize(data: { flaw?: Flaw }): void {
  flaw = data.flaw
}

const places: Readonly<Record<string, string>> = {
  'memory/atomics.js': './atomics.js',
  'memory/os.js': './os.js',
}

export function resolve(
  specifier: string,
  context: object,
  next: (specifier: string, context: object) => Found | Promise<Found>,
): Found | Promise<Found> {
  const found = next(specifier, context)
  return found instanceof Promise ? found.then(replace) : replace(found)
}

function replace(found: Found): Found {
  const own = /\/build\/src\/(.*)$/.exec(found.url)?.[1]
  const place = own === undefined ? undefined : places[own]
  return place === undefined ? found : { ...found, url: new URL(place, import.meta.url).href }
}

export function load(url: string, context: object, next: (url: string, context: object) => object): object {
  if (flaw === undefined || !url.endsWith(`/build/src/${flaw.file}`)) return next(url, context)
  const text = readFileSync(fileURLToPath(url), 'utf8')
  if (!text.includes(flaw.from)) throw new Error(`${flaw.file} has no ${flaw.from}`)
  return { format: 'module', source: text.replace(flaw.from, flaw.to), shortCircuit: true }
}
