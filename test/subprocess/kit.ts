/** For tests of programs: reading what they say line by line, and asking the system what became of them. */
import { readFileSync } from 'node:fs'
import type { Readable } from 'node:stream'

/** The next line of a stream of text, without its end; what comes after it stays in the stream. */
export async function nextLine(stream: Readable | null): Promise<string> {
  let line = ''
  for (;;) {
    for (let char; (char = stream!.read(1) as Buffer | string | null) !== null;) {
      if (String(char) === '\n') return line
      line += String(char)
    }
    if (stream!.readableEnded) throw new Error(`the stream ended after ${JSON.stringify(line)}`)
    await new Promise<void>((resolve) => {
      const go = (): void => {
        stream!.off('readable', go).off('end', go)
        resolve()
      }
      stream!.on('readable', go).on('end', go)
    })
  }
}

/** Whether a process runs: one that is dead and not yet taken away does not. */
export function runs(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2))
  } catch {
    return false
  }
}

/** Resolves when it does not run any more; rejects after half a minute. */
export async function gone(pid: number): Promise<void> {
  for (let turn = 0; turn < 15_000 && runs(pid); turn++)
    await new Promise((resolve) => setTimeout(resolve, 2))
  if (runs(pid)) throw new Error(`process ${pid} still runs`)
}

/** What `fn` throws or rejects with. */
export async function failure<E = Error>(fn: () => unknown): Promise<E> {
  try {
    await fn()
  } catch (error) {
    return error as E
  }
  throw new Error('it did not fail')
}

/** A program of Node's own; its arguments begin at process.argv[1]. */
export function node(program: string, ...args: string[]): string[] {
  return [process.execPath, '--eval', program, ...args]
}
