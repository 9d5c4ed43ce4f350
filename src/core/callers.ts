/**
 * Errors that come from elsewhere (another process, a timer, a death) know nothing of the code that waits for
 * them. When V8 makes an error inside of a chain of promises, it adds the async functions that wait for the
 * chain; here the same is done for an error that arrives: its own stack first, then `at async caller (…)`.
 * Whoever rejects a caller's promise with such an error does it here. Nothing is captured before there is an
 * error: a call that succeeds costs nothing.
 */
import { PlaitError } from './errors.ts'

/** Where plait itself lies; its frames between the task's and the caller's tell no one anything. */
const own = (import.meta.url as string | undefined)?.replace(/[^/]*$/, '') ?? '\n'

/** Errors that have their callers, and those of the user that must stay as they are. */
const done = new WeakSet<object>()

/**
 * Rejects the promise with these two ends, a few microtasks later. They must be the promise's own: V8 finds
 * who waits for it from a job that leads to these very functions, and from nowhere else.
 */
export function rejectWithCallers(
  resolve: (value: never) => void,
  reject: (error: unknown) => void,
  error: unknown,
): void {
  if (!(error instanceof Error) || done.has(error)) return reject(error)
  rejection(error).then(resolve, reject)
}

/** What a promise is resolved with, that is to be rejected: for who keeps but this one end of it. */
export async function rejection(reason: unknown): Promise<never> {
  if (reason instanceof Error && !done.has(reason)) {
    done.add(reason)
    // Twice: the promise that is resolved with this has come to hang on it by then.
    await Promise.resolve()
    await Promise.resolve()
    addCallers(reason)
  }
  throw reason
}

/** An error of the user's own, such as the reason of an abort: it is handed on as it is. */
export function leaveAsItIs(error: unknown): void {
  if (error instanceof Error) done.add(error)
}

function addCallers(error: Error): void {
  try {
    const here: { stack?: unknown } = {}
    Error.captureStackTrace(here, addCallers)
    // Not a string where a program has its own ideas of stacks.
    if (typeof here.stack !== 'string' || typeof error.stack !== 'string') return
    const callers = here.stack.split('\n').filter((line) => isCaller(line))
    if (callers.length > 0) error.stack = [...withoutOwn(error), ...callers].join('\n')
  } catch {
    // A frozen error, or a stack that cannot be read: it arrives as it is.
  }
}

function isCaller(line: string): boolean {
  return /^\s+at async /.test(line) && !isOwn(line)
}

/**
 * The lines of a stack without those of plait and Node at its lower end; with them where no others are there
 * and plait did not make the error.
 */
function withoutOwn(error: Error): string[] {
  const lines = error.stack!.split('\n')
  let end = lines.length
  while (end > 0 && isOwn(lines[end - 1]!)) end--
  const onlyOwn = end === 0 || !/^\s+at /.test(lines[end - 1]!)
  return onlyOwn && !(error instanceof PlaitError) ? lines : lines.slice(0, end)
}

function isOwn(line: string): boolean {
  return /^\s+at /.test(line) && (line.includes(own) || /\(node:|at node:/.test(line))
}
