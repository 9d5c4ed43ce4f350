/**
 * Many processes × many coroutines: pages are fetched from a local server and their words counted. One by
 * one; by many coroutines of one process, which wait together but count one at a time; and by as many in the
 * processes of a pool, which count together too. `node build/examples/fetch/main.js [PAGES]`
 */
import { Pool, cpuCount } from 'plait'
import { countTogether, countWords, startServer } from './pages.ts'

const pages = Number(process.argv[2] ?? 200)
const coroutines = 32
const processes = cpuCount()
const each = Math.ceil(coroutines / processes)

await using servers = new Pool(1, { name: 'server' })
await using pool = new Pool(processes, { concurrency: each })
const server = await startServer(servers)
const urls = Array.from({ length: pages }, (_, i) => `${server}/${i}`)
await pool.map(countWords, urls.slice(0, coroutines), { chunksize: 1 })

const alone = await time('one by one', () => countTogether(urls, 1))
const together = await time(`1 process × ${coroutines} coroutines`, () => countTogether(urls, coroutines))
const name = `${processes} processes × ${each} coroutines`
const both = await time(name, () => pool.map(countWords, urls, { chunksize: 1 }))

const same = [together, both].every((counts) => String(counts) === String(alone))
console.log(same ? 'the same words each time' : 'the counts differ')
process.exitCode = same ? 0 : 1

async function time<R>(what: string, work: () => Promise<R>): Promise<R> {
  const start = performance.now()
  const value = await work()
  console.log(`${what.padEnd(28)} ${(performance.now() - start).toFixed(0).padStart(6)} ms`)
  return value
}
