/**
 * Producers and consumers in processes, as in the notes on Python's multiprocessing that plait grew from: two
 * write into a queue, two read from it for ever, and are terminated in the end. In Python a reader that is
 * terminated while it waits holds the queue's lock for good; here the queue goes on. Run by
 * `node build/examples/seed/process-queue.js`; test/queue/seed.test.ts holds its output to what it says.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { Process, Queue } from 'plait'

/** What the writing processes do. */
async function write(q: Queue<number>, data: number[]): Promise<void> {
  console.log(`Process to write: ${process.pid}`)
  for (const value of data) {
    console.log(`${process.pid} :Put ${value} to queue...`)
    await q.put(value)
    await sleep(Math.random() * 100)
  }
}

/** What the reading processes do. */
async function read(q: Queue<number>): Promise<void> {
  console.log(`Process to read: ${process.pid}`)
  for (;;) {
    const value = await q.get()
    console.log(`${process.pid} :Get ${value} from queue.`)
  }
}

// The parent makes the queue, and hands it to its children.
const q = new Queue<number>()
const pw1 = new Process({ target: write, args: [q, [1, 2, 3]] })
const pw2 = new Process({ target: write, args: [q, [4, 5, 6]] })
const pr1 = new Process({ target: read, args: [q] })
const pr2 = new Process({ target: read, args: [q] })
pw1.start()
pw2.start()
pr1.start()
pr2.start()
// Wait for the writers.
await pw1.join()
await pw2.join()
// The readers' loops have no end: they can only be stopped.
pr1.terminate()
pr2.terminate()

await pr1.join()
await pr2.join()
while (!q.empty()) q.getNowait() // what nobody had time to read
await q.put(7)
console.log(`The queue still works: ${await q.get()}`)
