/**
 * Runs the programs of test/fixtures/environments/ as their users would: in a folder of their own whose
 * node_modules has plait as it is published, by whatever tool. Called by the tests beside it; judges one line
 * of output.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { after } from 'node:test'
import { fileURLToPath } from 'node:url'
import { transformSync } from 'esbuild'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const fixtures = join(root, 'test/fixtures/environments')

/** Neither a program nor a tool takes longer. */
const timeout = 90_000

export interface Outcome {
  readonly out: string
  readonly err: string
  readonly code: number
}

export function fixture(name: string): string {
  return readFileSync(join(fixtures, name), 'utf8')
}

/** The user's program. */
export const app = fixture('app.ts')

/** A folder for the programs of one test file; it is gone when they have ended. */
export class Folder {
  readonly path = realpathSync(mkdtempSync(join(tmpdir(), 'plait-environment-')))

  constructor() {
    const modules = join(this.path, 'node_modules')
    for (const part of ['dist', 'src', 'package.json'])
      cpSync(join(root, part), join(modules, 'plait', part), {
        recursive: true,
        filter: (source) => !source.endsWith('.d.ts'),
      })
    for (const name of readdirSync(join(root, 'node_modules')))
      if (!name.startsWith('.')) symlinkSync(join(root, 'node_modules', name), join(modules, name))
    after(() => rmSync(this.path, { recursive: true, force: true }))
  }

  /** Writes the files of one program; answers the path of the first. */
  program(files: Readonly<Record<string, string>>): string {
    const home = mkdtempSync(join(this.path, 'program-'))
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(home, name)), { recursive: true })
      writeFileSync(join(home, name), text)
    }
    return join(home, Object.keys(files)[0])
  }

  /** Runs Node in the folder of `file`. */
  run(file: string, args: readonly string[] = [basename(file)], input?: string): Promise<Outcome> {
    const env: NodeJS.ProcessEnv = { ...process.env, NO_COLOR: '1' }
    for (const name of ['NODE_TEST_CONTEXT', 'NODE_V8_COVERAGE', 'NODE_OPTIONS', 'FORCE_COLOR'])
      delete env[name]
    return new Promise((resolve) => {
      const options = { cwd: dirname(file), env, timeout, killSignal: 'SIGKILL' } as const
      const child = execFile(process.execPath, args, options, (error, out, err) => {
        resolve({ out, err, code: typeof error?.code === 'number' ? error.code : error === null ? 0 : -1 })
      })
      child.stdin?.end(input)
    })
  }

  /** A program of the project's node_modules that Node runs. */
  tool(name: string): string {
    return realpathSync(join(root, 'node_modules', name))
  }
}

// ── the program in other forms ──

/** Types taken away, and nothing else. */
export function toJavaScript(text: string, format?: 'cjs'): string {
  return transformSync(text, { loader: 'ts', target: 'esnext', platform: 'node', ...(format && { format }) })
    .code
}

/** The program where neither `await` at the top level nor import.meta exists. */
export function withoutModule(text: string): string {
  return withMain(
    text.replaceAll('import.meta.url', '__filename').replaceAll('import.meta.dirname', '__dirname'),
    (main) => `void ${main}`,
  )
}

/** The program as people write CommonJS. */
export function toCommonjs(text: string): string {
  const required = text
    .replace(/^import \* as (\w+) from ('[^']+')$/gm, 'const $1 = require($2)')
    .replace(/^import (\w+) from ('[^']+')$/gm, 'const $1 = require($2)')
    .replace(/^import \{(.*)\} from ('[^']+')$/gm, (_, names: string, from: string) => {
      const values = names.split(',').filter((name) => !name.trim().startsWith('type '))
      return `const {${values.join(',').replaceAll(' as ', ': ')}} = require(${from})`
    })
    .replace(/^export (\{.*\})$/m, 'module.exports = $1')
  return toJavaScript(withoutModule(required))
}

/** The program with its last line, which runs it, replaced. */
export function withMain(text: string, write: (main: string) => string): string {
  const last = 'console.log(`results ${JSON.stringify(await main())}`)'
  assert.ok(text.trimEnd().endsWith(last))
  const main = 'main().then((results) => console.log(`results ${JSON.stringify(results)}`))'
  return text.replace(last, () => write(main))
}

/** The program whose modules import its entry back, in files that end so; `edit` is done to each text. */
export function cycle(ending: string, edit = (text: string): string => text): Record<string, string> {
  const names = ['app', 'around', 'between', 'later', 'quarter', 'straight']
  return Object.fromEntries(
    names.map((name) => [
      name + ending,
      edit(fixture(`cycle/${name}.ts`)).replaceAll(/\.ts(?=['"])/g, ending),
    ]),
  )
}

// ── what has to come out ──

/**
 * Where the state of the program's own modules lives: in each worker, or, as all is one script, in the
 * snapshot.
 */
export type State = 'worker' | 'snapshot'

export interface Expected {
  readonly state: State
  /** The file that stacks have to name, where that is more than what the parent's own stacks name. */
  readonly file?: string
}

const expected = {
  closures: [13, 16, 19],
  snapshot: [5, 6, 7, 6],
  enum: 'high',
  builtins: ['b.c', 'number'],
  packages: ['Program', true],
  project: ['HEY!', '(hey)', 'HO!'],
  passed: 'IT!',
  classes: [true, 10, 5, 1, true, 2],
  subclass: [true, true, 81, 'square of 81'],
  shape: [true, 'dot of 0'],
  error: [true, 'mishap there in 3', 'there'],
  url: true,
  dirname: true,
  dynamic: ['late', '\n'],
  functions: [120, true, [1, 2, 3], 10],
  process: [12, 0, 'adder'],
  context: ['one-', 1],
  timeout: [true, 'PLAIT_TIMEOUT'],
  owned: true,
  unowned: [true, true],
  refused: [true, true],
}

/** The program has ended well, its entry has run once, and its results are those of every environment. */
export function check(outcome: Outcome, { state, file }: Expected): void {
  const { entries, results } = read(outcome)
  assert.equal(entries, 1, 'the entry has to run in the parent alone')
  assert.equal(outcome.err, '')
  const { frame, inline, library, state: states, ...rest } = results
  assert.deepEqual(rest, expected)
  assert.deepEqual(states, state === 'worker' ? [1, 2, 3] : [3, 3, 3])
  for (const [there, here] of [frame, inline, library] as [string, string][])
    assert.equal(
      placeIn(there),
      placeIn(here),
      'a stack of a worker has to name the place that one of the parent names',
    )
  if (file === undefined) return
  const line = app.split('\n').findIndex((text) => text.endsWith('// fails here')) + 1
  assert.match(placeIn((frame as string[])[0]), new RegExp(`/${file.replace('.', '\\.')}:${line}:\\d+$`))
}

/** The entry of the program of `cycle` has run once, though all that it uses imports it. */
export function checkCycle(outcome: Outcome): void {
  const { entries, results } = read(outcome)
  assert.deepEqual([entries, outcome.err], [1, ''], 'the entry has to run in the parent alone')
  assert.deepEqual(results, {
    export: [2, 4],
    import: [8, 11, 'base'],
    class: [true, 'base', 10, 10],
    snapshot: [[2, 3], 2, 2],
    name: [1, 2, 2, 2],
    late: [2, 2],
  })
}

/** How often the program's entry ran, and the line of results. */
export function read({ out, err, code }: Outcome): { entries: number; results: Record<string, unknown> } {
  const line = /^(?:# )?results (\{.*\})$/m.exec(out)?.[1]
  assert.ok(line !== undefined && code === 0, `code ${code}\n${out}\n${err}`)
  return {
    entries: out.match(/^(?:# )?entry$/gm)?.length ?? 0,
    results: JSON.parse(line) as Record<string, unknown>,
  }
}

/** 'file:line:column' of a stack's line; names of functions differ by who calls them. */
function placeIn(frame: string): string {
  return /\(([^()]*)\)$/.exec(frame)?.[1] ?? frame
}
