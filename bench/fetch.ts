/**
 * Many processes × many coroutines: pages from a local server, whose words are counted. A pool of two with
 * half of the coroutines in each, beside all of them in one process.
 */
import { Pool } from 'plait'
import { countTogether, countWords, startServer } from '../examples/fetch/pages.ts'
import { race, scaled } from './measure.ts'
import { report, throughput } from './report.ts'
import { workers } from './rivals/shared.ts'

const coroutines = 64
const servers = new Pool(1)
const pool = new Pool(workers, { concurrency: coroutines / workers })
const server = await startServer(servers)
const urls = Array.from({ length: scaled(300) }, (_, i) => `${server}/${i}`)
const count = urls.length

report(
  `Pages fetched and read by ${coroutines} coroutines`,
  await race([
    {
      name: `plait, ${workers} × ${coroutines / workers}`,
      count,
      run: () => pool.map(countWords, urls, { chunksize: 1 }),
    },
    { name: `one process, ${coroutines}`, count, run: () => countTogether(urls, coroutines) },
  ]),
  throughput('page'),
)

for (const each of [pool, servers]) {
  each.terminate()
  await each.join()
}
