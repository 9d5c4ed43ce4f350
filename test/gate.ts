/**
 * Signals between a test and the functions that it sends to other processes: files in a folder of the test's
 * own. A task says `reach(folder, name)`, the test awaits `gate.reached(name)`; the test says
 * `gate.open(name)`, a task holds its thread with `hold(folder, name)` until then. Both functions travel by
 * reference: this is a module.
 */
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'

/** From inside a task: this point is reached. */
export function reach(folder: string, name: string): void {
  writeFileSync(join(folder, name), '')
}

/** From inside a task: blocks its thread until the test opens `name`; gives up after a minute. */
export function hold(folder: string, name: string): void {
  const word = new Int32Array(new SharedArrayBuffer(4))
  for (let turn = 0; turn < 60_000 && !existsSync(join(folder, name)); turn++) Atomics.wait(word, 0, 0, 1)
}

export class Gate {
  readonly folder = mkdtempSync(join(tmpdir(), 'plait-test-'))

  constructor() {
    after(() => rmSync(this.folder, { recursive: true, force: true }))
  }

  open(name: string): void {
    reach(this.folder, name)
  }

  /** Resolves when a task has reached `name`; rejects after half a minute. */
  async reached(name: string): Promise<void> {
    for (let turn = 0; turn < 15_000; turn++) {
      if (existsSync(join(this.folder, name))) return
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
    throw new Error(`no task has reached ${name}`)
  }

  /** All points that were reached. */
  names(): string[] {
    return readdirSync(this.folder)
  }

  /** How many points with this prefix were reached. */
  count(prefix: string): number {
    return readdirSync(this.folder).filter((name) => name.startsWith(prefix)).length
  }
}
