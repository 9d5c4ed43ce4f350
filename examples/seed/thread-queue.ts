/**
 * Producers and consumers in threads, as in the notes on Python's threading that plait grew from. A thread
 * that reads for ever cannot be killed there, and the program never ends; here the queue is shut down once
 * all is written, which ends the readers. Run by `node build/examples/seed/thread-queue.js`;
 * test/queue/seed.test.ts holds its output to what it says.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { Queue } from 'plait'
import { currentThread, Thread } from 'plait/threading'

/** What the writing threads do. */
async function write(q: Queue<number>, data: number[]): Promise<void> {
  console.log(`Process to write: ${process.pid}`)
  for (const value of data) {
    console.log(`${currentThread().name} :Put ${value} to queue...`)
    await q.put(value)
    await sleep(Math.random() * 100)
  }
}

/** What the reading threads do. */
async function read(q: Queue<number>): Promise<void> {
  console.log(`Process to read: ${process.pid}`)
  for await (const value of q) console.log(`${currentThread().name} :Get ${value} from queue.`)
}

// The parent makes the queue, and hands it to its threads.
const q = new Queue<number>()
const pw1 = new Thread({ target: write, args: [q, [1, 2, 3]] })
const pw2 = new Thread({ target: write, args: [q, [4, 5, 6]] })
const pr1 = new Thread({ target: read, args: [q] })
const pr2 = new Thread({ target: read, args: [q] })
pw1.start()
pw2.start()
pr1.start()
pr2.start()
// Wait for the writers; then nothing more comes.
await pw1.join()
await pw2.join()
q.shutdown()
await pr1.join()
await pr2.join()
