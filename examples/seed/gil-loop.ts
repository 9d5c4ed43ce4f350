/**
 * 对多线程的GIL的进一步解释, the endless loops of the tutorial. In Python they share one core; here each thread
 * has a core of its own, and all of them are at 100 %. They never end: press Ctrl-C. With a number of
 * milliseconds on the command line it ends after that, and says how busy the cores were.
 */
import { cpuCount } from 'plait'
import { Thread } from 'plait/threading'

function loop(): void {
  let x = 0
  for (;;) x = x ^ 1
}

const threads: Thread<[], void>[] = []
for (let i = 0; i < cpuCount(); i++) {
  const t = new Thread({ target: loop })
  t.start()
  threads.push(t)
}

const [, , limit] = process.argv
if (limit !== undefined) {
  const began = performance.now()
  const before = process.cpuUsage()
  setTimeout(() => {
    const { user } = process.cpuUsage(before)
    console.log(
      `${threads.length} threads, ${(user / 1000 / (performance.now() - began)).toFixed(2)} cores busy`,
    )
    for (const t of threads) t.terminate()
  }, Number(limit))
}
