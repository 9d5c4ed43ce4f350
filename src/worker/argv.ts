/**
 * Which of the parent's Node options a child gets: all that shape how code is loaded and run (--import,
 * --require, --conditions, memory limits), none that belong to the parent alone (a debugger's port, the code
 * of `node -e`, a test runner, a profile's file). Used by WorkerHandle.
 */
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

/** Options of the parent alone that stand for themselves, or carry their value behind '='. */
const alone = new RegExp(
  `^(${[
    '-c|--check|-i|--interactive|--prof|--build-snapshot|--test|--test-only|--test-force-exit',
    '--test-update-snapshots|--experimental-test-.*|--watch|--watch-preserve-output|--cpu-prof|--heap-prof',
    '--inspect|--inspect-brk|--inspect-wait|--experimental-default-type=.*',
    '(--eval|--print|--input-type|--inspect[a-z-]*|--debug-port|--test-[a-z-]+|--watch-path|--run)=.*',
    '(--cpu-prof|--heap-prof)-[a-z-]+=.*|--env-file(-if-exists)?=.*',
  ].join('|')})$`,
)

/** Options of the parent alone whose value is the next argument. */
const withValue = new RegExp(
  `^(${[
    '-e|-p|-pe|--eval|--print|--input-type|--inspect-port|--inspect-publish-uid|--debug-port',
    '--test-[a-z-]+|--watch-path|--(cpu|heap)-prof-[a-z-]+|--env-file(-if-exists)?',
  ].join('|')})$`,
)

/** What takes a file, which a child with another working directory would look for in the wrong place. */
const file = /^(-r|--require|--import|--loader|--experimental-loader)(?:=(.*))?$/s

/** The Node options of a child: its own `execArgv`, or what fits a child of the parent's. */
export function childArgv(
  { execArgv, cwd }: { readonly execArgv?: readonly string[] | undefined; readonly cwd?: string | undefined },
  parent: readonly string[] = process.execArgv,
): readonly string[] {
  if (execArgv !== undefined) return execArgv
  const kept: string[] = []
  for (let i = 0; i < parent.length; i++) {
    const option = parent[i]!
    if (alone.test(option)) continue
    if (withValue.test(option)) {
      i++
      continue
    }
    const [, name, value] = file.exec(option) ?? []
    if (name === undefined) kept.push(option)
    else if (value !== undefined) kept.push(`${name}=${fromHere(name, value, cwd)}`)
    else kept.push(option, fromHere(name, parent[++i] ?? '', cwd))
  }
  return kept
}

function fromHere(option: string, value: string, cwd: string | undefined): string {
  if (cwd === undefined || !/^\.\.?[\\/]/.test(value)) return value
  const path = resolve(value)
  return option === '-r' || option === '--require' ? path : pathToFileURL(path).href
}
