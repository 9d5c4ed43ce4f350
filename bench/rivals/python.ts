/**
 * Python's multiprocessing.Pool as a rival: jobs.py in a process of its own, asked over its stdin. It keeps
 * its own time, so that the way to it costs nothing.
 */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { file, workers } from './shared.ts'

/** Answers with milliseconds, for the whole or for each round trip. */
export interface Python {
  readonly name: string
  readonly pid: number
  ask(what: 'all' | 'awaiters' | 'numbers' | 'objects', count: number): Promise<number>
  ask(what: 'trips', count: number): Promise<number[]>
  close(): Promise<unknown>
}

/** '3.11.7'; undefined where there is no python3. */
export function pythonVersion(): string | undefined {
  const { stdout } = spawnSync('python3', ['--version'], { encoding: 'utf8' })
  return /\d+\.\d+\.\d+/.exec(stdout ?? '')?.[0]
}

/** Its workers are there when this resolves. */
export async function openPython(): Promise<Python | undefined> {
  if (pythonVersion() === undefined) return undefined
  const child = spawn('python3', [file('jobs.py')], { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = once(child, 'exit')
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const python: Python = {
    name: "Python's Pool",
    pid: child.pid!,
    async ask(what: string, count: number): Promise<any> {
      child.stdin.write(`${JSON.stringify([what, count, workers])}\n`)
      return JSON.parse((await answers.next()).value as string)
    },
    close() {
      child.stdin.end()
      return ended
    },
  }
  await python.ask('all', 64)
  return python
}
