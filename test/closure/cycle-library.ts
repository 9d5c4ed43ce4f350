/**
 * A module that imports cycle.test.ts back, which is the entry of its process. Not a test itself.
 */
// oxlint-disable import/no-cycle -- what is tested
import { createServer } from 'node:net'
import { base, bump, mine } from './cycle.test.ts'

const server = createServer()

export let count = 0
export let connection = 'none'
export const state = { opened: 0 }

export const increase = (): number => ++count
export const plusBase = (x: number): number => x + base
export const address = (): unknown => server.address()
export const back = async (): Promise<unknown> => import('./cycle.test.ts')
export const bumped = (): number[] => [bump(), mine]
export const connect = (to: string): void => {
  connection = to
}
export const connected = (): string => connection

export class Meter {
  static made = 0
  readonly value: number
  constructor(value: number) {
    this.value = value + base
    Meter.made++
  }
}
