/**
 * 线程, the threads of the tutorial without their queue: each says in which process and under which name it
 * runs, and what it has to write; the main thread waits for both.
 */
import { currentThread, Thread } from 'plait/threading'

function write(data: number[]): void {
  console.log(`Process to write: ${process.pid}`)
  for (const value of data) console.log(`${currentThread().name} :Put ${value}`)
}

const pw1 = new Thread({ target: write, args: [[1, 2, 3]] })
const pw2 = new Thread({ target: write, args: [[4, 5, 6]] })
pw1.start()
pw2.start()
await pw1.join()
await pw2.join()
console.log(`${currentThread().name} ends`)
