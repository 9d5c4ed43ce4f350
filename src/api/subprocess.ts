/**
 * The entry point `plait/subprocess`: Python's `subprocess`, and what `shlex` has for its command lines.
 * Every name that leaves the package this way, and nothing else. Re-exports only.
 */
export { CalledProcessError, SubprocessError, TimeoutExpired } from '../core/errors.ts'
export { CompletedProcess } from '../subprocess/completed.ts'
export {
  DEVNULL,
  PIPE,
  STDOUT,
  type Command,
  type PopenOptions,
  type RunOptions,
  type Stdio,
} from '../subprocess/options.ts'
export { Popen } from '../subprocess/popen.ts'
export { call, checkCall, checkOutput, run } from '../subprocess/run.ts'
export { runSync } from '../subprocess/run-sync.ts'
export { sh } from '../subprocess/sh.ts'
export { join, quote, split } from '../subprocess/words.ts'
