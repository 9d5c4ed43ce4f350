/**
 * Python's multiprocessing.Queue as a rival: queues.py in a process of its own, asked over its stdin. It
 * keeps its own time.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { pythonVersion } from './python.ts'
import { file } from './shared.ts'

/** Answers with milliseconds. */
export interface PythonQueue {
  readonly name: string
  through(count: number): Promise<number>
  trips(count: number): Promise<number[]>
  close(): Promise<unknown>
}

export function openPythonQueue(): PythonQueue | undefined {
  if (pythonVersion() === undefined) return undefined
  const child = spawn('python3', [file('queues.py')], { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = once(child, 'exit')
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const ask = async <T>(what: string, count: number): Promise<T> => {
    child.stdin.write(`${JSON.stringify([what, count])}\n`)
    return JSON.parse((await answers.next()).value as string) as T
  }
  return {
    name: "Python's Queue",
    through: (count) => ask('through', count),
    trips: (count) => ask('trips', count),
    close() {
      child.stdin.end()
      return ended
    },
  }
}
