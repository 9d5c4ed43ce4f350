/** A module that is not the entry: what it exports travels by name. For the tests of this folder. */
import { sep } from 'node:path'
export { delimiter as separator } from 'node:path'
export * as urls from 'node:url'

let calls = 0

/** How often it was called in this process: a worker has a counter of its own. */
export function countCalls(): number {
  return ++calls
}

export const double = (x: number): number => x * 2

export const table = { three: 3 }

const hidden = (x: number): string => `${sep}${x}`

/** A function that is not exported itself: it travels by value, its import by name. */
export function getHidden(): (x: number) => string {
  return hidden
}

export class Point {
  readonly x: number
  readonly y: number
  constructor(x: number, y: number) {
    this.x = x
    this.y = y
  }
  get length(): number {
    return Math.hypot(this.x, this.y)
  }
}

export class Vault {
  #secret: number
  constructor(secret: number) {
    this.#secret = secret
  }
  open(): number {
    return this.#secret
  }
}

export default function (x: number): number {
  return x + 100
}
