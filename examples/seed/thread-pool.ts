/**
 * 线程池, the thread pool of the tutorial, line by line: three greetings one after the other, then on three
 * threads by submit(), then by map(). A greeting takes two seconds, or as many milliseconds as the command
 * line says.
 */
import { ThreadPoolExecutor } from 'plait/futures'

const pause = Number(process.argv[2] ?? 2000)

/** Sleeps as Python does: the thread does nothing else. */
function sleep(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

function sayhello(a: string): void {
  console.log(`hello: ${a}`)
  sleep(pause)
}

const seconds = (since: number): string => ((performance.now() - since) / 1000).toFixed(3)

const seed = ['a', 'b', 'c']
const start1 = performance.now()
for (const each of seed) sayhello(each)
console.log(`time1: ${seconds(start1)}`)

const start2 = performance.now()
{
  await using executor = new ThreadPoolExecutor(3)
  for (const each of seed) executor.submit(sayhello, each)
}
console.log(`time2: ${seconds(start2)}`)

const start3 = performance.now()
{
  await using executor1 = new ThreadPoolExecutor(3)
  executor1.map(sayhello, seed)
}
console.log(`time3: ${seconds(start3)}`)
