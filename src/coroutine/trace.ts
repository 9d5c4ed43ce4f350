/**
 * What the stack of an error cannot tell: through which coroutines it came. Each task that ends with an error
 * adds its name to it. It changes nothing else of the error.
 */

/** Where this room lies; its own frames tell no one anything. */
const own = (import.meta.url as string | undefined)?.replace(/[^/]*$/, '') ?? '\n'

const mark = '    at coroutine '

/** Adds `    at coroutine NAME` below what was the body's own part of the stack. */
export function addTrace(error: unknown, name: string): void {
  try {
    if (!(error instanceof Error) || typeof error.stack !== 'string') return
    const lines = error.stack.split('\n')
    const before = lines.findLastIndex((line) => line.startsWith(mark))
    const ours = lines.findIndex((line) => isOwn(line))
    const at = before !== -1 ? before + 1 : ours !== -1 ? ours : lines.length
    const [above, below] = [lines.slice(0, at), lines.slice(at)]
    error.stack = [...above, mark + name, ...below.filter((line) => !isOwn(line))].join('\n')
  } catch {
    // A frozen error, or a stack that cannot be read: it arrives as it is.
  }
}

function isOwn(line: string): boolean {
  return /^\s+at /.test(line) && line.includes(own)
}
