/**
 * What a switch between coroutines of a Scheduler costs, beside awaiting a promise that is resolved already:
 * one coroutine that yields, then a thousand in turns, each of a closure of its own.
 */
import { Scheduler } from 'plait/coroutine'
import { race, scaled, type Contender } from './measure.ts'
import { duration, report } from './report.ts'

const count = scaled(2_000_000)
const resolved = Promise.resolve()

const contenders = (coroutines: number): Contender[] => {
  const each = Math.ceil(count / coroutines)
  return [
    {
      name: 'plait, yield',
      count: each * coroutines,
      run() {
        const scheduler = new Scheduler()
        for (let i = 0; i < coroutines; i++)
          scheduler.spawn(function* () {
            for (let n = 0; n < each; n++) yield
          })
        return scheduler.run()
      },
    },
    {
      name: 'await a resolved promise',
      count: each * coroutines,
      run() {
        const loops = Array.from({ length: coroutines }, () => async () => {
          for (let n = 0; n < each; n++) await resolved
        })
        return Promise.all(loops.map((loop) => loop()))
      },
    },
  ]
}

const columns = { time: { head: 'a switch', show: duration } }
report('A switch, one coroutine', await race(contenders(1)), columns)
report('A switch, a thousand coroutines in turns', await race(contenders(scaled(1000))), columns)
