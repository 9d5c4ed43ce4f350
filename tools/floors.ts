/**
 * The layering of src/: which room stands on which floor, and what an import must be like.
 * test/house/floors.test.ts holds the sources to it. Between rooms type imports count: a type is knowledge
 * too. Within a room only what is loaded can make a cycle: a helper may know the type of the one that calls
 * it. A URL in data is no import.
 */
import { posix } from 'node:path'
import { importsOf, type Import, type Source } from './sources.ts'

/** A room imports from floors below its own only; never from another room of its floor. */
export const floors: Readonly<Record<string, number>> = {
  core: 0,
  codec: 1,
  subprocess: 1,
  coroutine: 1,
  closure: 2,
  memory: 2,
  transport: 3,
  sync: 3,
  worker: 4,
  queue: 4,
  pool: 5,
  manager: 5,
  engine: 6,
  serve: 6,
  api: 7,
  cli: 8,
  dashboard: 8,
}

/** Rooms that stand on fewer rooms than their floor would allow. */
export const narrower: Readonly<Record<string, readonly string[]>> = {
  subprocess: ['core'],
  coroutine: ['core'],
  cli: ['api'],
  dashboard: ['api'],
}

/** The packages that src/ may import, and the rooms that may. Everything else is `node:`. */
export const packages: Readonly<Record<string, readonly string[]>> = {
  acorn: ['closure'],
  'es-module-lexer': ['closure'],
  'cli-progress': ['pool'],
  koffi: ['memory'],
}

/** Builtins that change what a process is or costs, and the rooms that may use them; all others are free. */
export const builtins: Readonly<Record<string, readonly string[]>> = {
  'node:child_process': ['worker', 'subprocess'],
  'node:cluster': [],
  'node:inspector': ['closure'],
  'node:worker_threads': ['memory', 'transport', 'worker'],
}

/** Every import that breaks a rule, and every cycle, each as one sentence that names the arrow. */
export function floorViolations(sources: readonly Source[]): string[] {
  const known = new Set(sources.map((source) => source.path))
  const arrows = new Map<string, string[]>()
  const found: string[] = []
  for (const source of sources) {
    const targets: string[] = []
    for (const one of importsOf(source)) {
      const problem = judge(source.path, one, known, targets)
      if (problem !== undefined)
        found.push(`${source.path}:${one.line} → ${one.specifier} (${one.form}): ${problem}`)
    }
    arrows.set(source.path, targets)
  }
  return [...found, ...cycles(arrows)]
}

/** What is wrong with one import; a file of ours that it loads is added to `targets`. */
function judge(
  path: string,
  { specifier, form }: Import,
  known: ReadonlySet<string>,
  targets: string[],
): string | undefined {
  const room = roomOf(path)
  const floor = floors[room]
  if (floor === undefined)
    return `the room ${room}/ stands on no floor; give it one in tools/floors.ts and in the design`
  if (specifier.startsWith('node:')) {
    const rooms = builtins[specifier]
    if (rooms === undefined || rooms.includes(room)) return undefined
    return `${specifier} is for ${rooms.join(', ') || 'no room'} alone`
  }
  if (!specifier.startsWith('.')) return judgePackage(room, specifier)
  const target = posix.join(posix.dirname(path), specifier)
  if (!known.has(target)) return 'an import names the exact .ts file, and no such file exists under src/'
  if (!form.includes('type')) targets.push(target)
  const other = roomOf(target)
  if (other === room) return undefined
  if (posix.basename(target) === 'index.ts') return 'no inner barrels: import the file that has the thing'
  if (posix.basename(target).startsWith('_')) return `${posix.basename(target)} is private to ${other}/`
  const below = floors[other]
  if (below === undefined) return `the room ${other}/ stands on no floor; give it one in tools/floors.ts`
  if (below === floor) return `${room}/ and ${other}/ share floor ${floor}: siblings do not import each other`
  if (below > floor) return `${room}/ (floor ${floor}) must not look up to ${other}/ (floor ${below})`
  const allowed = narrower[room]
  if (allowed !== undefined && !allowed.includes(other))
    return `${room}/ stands on ${allowed.join(', ')} alone`
  return undefined
}

function judgePackage(room: string, specifier: string): string | undefined {
  const name = specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
  const rooms = packages[name]
  if (rooms === undefined)
    return `${name} is not among the packages that src/ may use (builtins: write node:)`
  return rooms.includes(room) ? undefined : `only ${rooms.join(', ')} may use ${name}`
}

/** 'src/codec/encode.ts' → 'codec'. */
function roomOf(path: string): string {
  return path.split('/')[1] ?? ''
}

/** Each cycle once, as the files on it. */
function cycles(arrows: ReadonlyMap<string, readonly string[]>): string[] {
  const found = new Map<string, string>()
  const state = new Map<string, 'open' | 'done'>()
  const trail: string[] = []
  const visit = (path: string): void => {
    if (state.get(path) === 'done') return
    if (state.get(path) === 'open') {
      const ring = trail.slice(trail.indexOf(path))
      found.set([...ring].sort().join(), `a cycle: ${[...ring, path].join(' → ')}`)
      return
    }
    state.set(path, 'open')
    trail.push(path)
    for (const next of arrows.get(path) ?? []) visit(next)
    trail.pop()
    state.set(path, 'done')
  }
  for (const path of arrows.keys()) visit(path)
  return [...found.values()]
}
