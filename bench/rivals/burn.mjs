/** CPU-bound work of a fixed size; forked, it takes arrays of numbers over IPC and answers each. */
export function burn(n) {
  let x = n | 1
  for (let i = 0; i < 2_000_000; i++) x = (Math.imul(x, 1664525) + 1013904223) | 0
  return x
}
if (process.send) process.on('message', (items) => process.send(items.map(burn)))
