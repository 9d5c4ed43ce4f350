/**
 * Tasks of a pool that write to a queue and read from it, as in the notes on Python's multiprocessing that
 * plait grew from. There a queue cannot be given to a pool's tasks, and it takes a Manager to have one that
 * can; here every queue can. And there the program never ends, as its readers loop for ever and the pool
 * waits for them: here the queue is shut down once all is written, which ends their loops. Run by `node
 * build/examples/seed/pool-queue.js`; test/queue/seed.test.ts holds its output to what it says.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { Pool, Queue } from 'plait'

/** What the writing tasks do. */
async function write(q: Queue<number>, data: number[]): Promise<number[]> {
  console.log(`Process to write: ${process.pid}`)
  for (const value of data) {
    console.log(`${process.pid} :Put ${value} to queue...`)
    await q.put(value)
    await sleep(Math.random() * 50)
  }
  return data
}

/** What the reading tasks do. */
async function read(q: Queue<number>): Promise<void> {
  console.log(`Process to read: ${process.pid}`)
  for await (const value of q) console.log(`${process.pid} :Get ${value} from queue.`)
}

console.log(`Parent process ${process.pid}.`)
const p = new Pool(2)
const q = new Queue<number>()
const writes = []
for (let i = 0; i < 5; i++) writes.push(p.applyAsync(write, [q, [i]]))
for (let i = 0; i < 5; i++) p.applyAsync(read, [q])
console.log('Waiting for all subprocesses done...')
p.close()
await Promise.all(writes)
q.shutdown()
await p.join()
p.terminate()
console.log('All subprocesses done.')
