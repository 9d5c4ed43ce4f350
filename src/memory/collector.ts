/**
 * The garbage collector, asked to work now: where only it knows what is not used any more, and somebody else
 * waits for that. A full collection; a few milliseconds for a small heap.
 */
let collect: (() => void) | undefined

export function collectGarbage(): void {
  collect ??= exposed()
  collect()
}

/** The flag makes `gc` a global of contexts made from then on. */
function exposed(): () => void {
  process.getBuiltinModule('node:v8').setFlagsFromString('--expose-gc')
  return process.getBuiltinModule('node:vm').runInNewContext('gc') as () => void
}
