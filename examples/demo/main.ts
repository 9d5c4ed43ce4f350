/**
 * The main job: examine every JavaScript and TypeScript file under a folder, on every core, then once more in
 * this one process, to see what the cores gave. `npm run demo [-- FOLDER] [--kill]`; with --kill it SIGKILLs
 * busy workers on the way, and every file must still come out right.
 */
import { isDeepStrictEqual } from 'node:util'
import { Pool, cpuCount } from 'plait'
import { giveUp, readCommand } from './command.ts'
import { examine, type Outcome } from './examine.ts'
import { listSources, type File } from './files.ts'
import { showFinds, showProblems, showProgress, showRate } from './screen.ts'

/** With --kill: how many workers die. A task may be run again as often, so none runs out of retries. */
const mostKills = 5
const millisecondsBetweenKills = 400

/** So much at most is done again in one process; of a larger folder it is every n-th file. */
const mostBytesAgain = 100e6

/** On every core: this is what plait is for. */
async function examineInPool(files: readonly File[], kill: boolean): Promise<Outcome[]> {
  await using pool = new Pool({ name: 'examiner', retries: kill ? mostKills : 0 })
  const progress = showProgress(`${cpuCount()} processes`, files.length)
  const stopKilling = kill ? startKilling(pool) : undefined
  try {
    return await pool.map((file) => examine(file.path), files, {
      chunksize: 1,
      onProgress: (done) => progress.update(done),
    })
  } finally {
    progress.stop()
    stopKilling?.()
  }
}

/** The same in this process: the plain loop that stands where there is no plait. */
function examineHere(files: readonly File[]): Outcome[] {
  const progress = showProgress('one process', files.length)
  const outcomes = files.map((file, index) => {
    const outcome = examine(file.path)
    progress.update(index + 1)
    return outcome
  })
  progress.stop()
  return outcomes
}

/** SIGKILLs a busy worker every now and then, without telling the pool. Returns how to stop it. */
function startKilling(pool: Pool): () => void {
  const killed: number[] = []
  const timer = setInterval(() => {
    const busy = pool.statistics().workers.filter((worker) => worker.state === 'busy')
    const victim = busy[killed.length % busy.length]
    if (victim === undefined || killed.length === mostKills) return
    process.kill(victim.pid, 'SIGKILL')
    killed.push(victim.pid)
  }, millisecondsBetweenKills)
  return () => {
    clearInterval(timer)
    console.log(`killed ${killed.length} workers on the way: ${killed.join(', ')}`)
  }
}

/** Runs `work` and tells how long it took, and how many cores this process kept busy meanwhile. */
async function timed<R>(work: () => R): Promise<{ outcomes: Awaited<R>; ms: number; cores: number }> {
  const from = performance.now()
  const before = process.cpuUsage()
  const outcomes = await work()
  const ms = performance.now() - from
  const { user, system } = process.cpuUsage(before)
  return { outcomes, ms, cores: (user + system) / 1000 / ms }
}

const { folder, kill } = readCommand()
const { files, problems } = listSources(folder)
if (files.length === 0) giveUp([`No JavaScript or TypeScript file under ${folder}`, ...problems].join('\n'))

const many = await timed(() => examineInPool(files, kill))
const step = Math.ceil(files.reduce((sum, file) => sum + file.bytes, 0) / mostBytesAgain)
const again = files.filter((_, index) => index % step === 0)
const one = await timed(() => examineHere(again))

showFinds(folder, files, many.outcomes)
showProblems(problems, files, many.outcomes)
const manyRate = showRate(`${cpuCount()} processes`, files, many.ms)
const oneRate = showRate(step === 1 ? 'one process' : `one process, 1 file in ${step}`, again, one.ms)
console.log(`${(manyRate / oneRate).toFixed(2)} times as fast on ${cpuCount()} cores`)
// The comparison is with what Node makes of one process, which is more than one core.
if (one.cores > 1.1)
  console.log(`(the one process kept ${one.cores.toFixed(1)} cores busy: V8 collects garbage beside it)`)

const wrong = again.filter((_, index) => !isDeepStrictEqual(many.outcomes[index * step], one.outcomes[index]))
console.log(`${again.length - wrong.length} of ${again.length} files came out the same both ways`)
for (const file of wrong.slice(0, 5)) console.error(`differs: ${file.path}`)
process.exitCode = wrong.length === 0 ? 0 : 1
