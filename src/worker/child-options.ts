/**
 * The options that shape a child as a program (where it writes, where it runs, with what environment),
 * checked at the door of Process and Pool.
 */
import { checkChoice, checkOptions, checkString, checkStrings } from '../core/options.ts'

export interface ChildOptions {
  /** Where the child's stdout and stderr go. Default 'inherit'. */
  stdio?: 'inherit' | 'pipe' | 'ignore' | undefined
  cwd?: string | undefined
  /** Default: this process's. */
  env?: NodeJS.ProcessEnv | undefined
  /** Options of Node itself. Default: this process's, but for those of a debugger or a test runner. */
  execArgv?: readonly string[] | undefined
}

export function checkChildOptions({ stdio, cwd, env, execArgv }: ChildOptions): void {
  checkChoice(stdio, 'stdio', ['inherit', 'pipe', 'ignore'])
  checkString(cwd, 'cwd')
  checkOptions(env, 'env')
  checkStrings(execArgv, 'execArgv')
}
