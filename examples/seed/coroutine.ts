/**
 * The consumer and the producer: two coroutines' worth of work in one thread, without a lock. The producer
 * decides when the consumer runs, by sending it the next number. A test compares what it prints.
 */
import { coroutine, type Coroutine } from 'plait/coroutine'

const consumer = coroutine(function* (): Generator<string, void, number> {
  let r = ''
  while (true) {
    const n = yield r
    if (!n) return
    console.log(`[CONSUMER] Consuming ${n}...`)
    r = '200 OK'
  }
})

function produce(c: Coroutine<string, void, number>): void {
  c.send(null)
  let n = 0
  while (n < 5) {
    n = n + 1
    console.log(`[PRODUCER] Producing ${n}...`)
    const r = c.send(n)
    console.log(`[PRODUCER] Consumer return: ${r}`)
  }
  c.close()
}

const c = consumer()
produce(c)
