/**
 * What a pool takes in at a submit: captures the function, encodes the arguments, both as they are now. Its
 * errors name the method and what it was given, and their stacks begin where the caller called it. Starts
 * nothing.
 */
import { capture, type CaptureOptions, type Payload } from '../closure/capture.ts'
import type { OwnedVariables } from '../closure/owned.ts'
import { SerializationError } from '../core/errors.ts'
import { Slab } from './slab.ts'
import type { Arguments } from './task.ts'

const methods = ['apply', 'applyAsync', 'map', 'mapAsync', 'starmap', 'starmapAsync'] as const
/** What work is submitted by. */
export type Method = (typeof methods)[number]

type Given = { readonly fn: CaptureOptions; readonly args: CaptureOptions }

export class Intake {
  readonly #methods: Record<Method, Function>
  readonly #given: Record<Method, Given>
  readonly #slab = new Slab()

  /** `pool` has the methods; `owned` belongs to its workers. */
  constructor(pool: Record<Method, Function>, owned: OwnedVariables | undefined) {
    this.#methods = pool
    const given = (method: Method): [Method, Given] => {
      const items = method.startsWith('apply') ? 'arguments' : 'items'
      const fn = { what: `the function given to pool.${method}`, owned }
      return [method, { fn, args: { what: `the ${items} given to pool.${method}`, owned } }]
    }
    this.#given = Object.fromEntries(methods.map(given)) as Record<Method, Given>
  }

  /** The function as it is now: later changes of what it captured are not seen. */
  capture(method: Method, fn: Function): Payload {
    try {
      return capture(fn, this.#given[method].fn)
    } catch (error) {
      throw this.#blamed(error, method)
    }
  }

  encode(method: Method, args: readonly unknown[]): Arguments {
    try {
      return this.#slab.encode(args, this.#given[method].args)
    } catch (error) {
      throw this.#blamed(error, method)
    }
  }

  /** `part` begins at `offset` of all items. */
  encodeChunk(method: Method, part: readonly unknown[], offset: number): Arguments {
    try {
      return this.encode(method, part)
    } catch (error) {
      // Said again with the place among all items.
      if (offset > 0) this.encode(method, [...new Array<undefined>(offset), ...part])
      throw error
    }
  }

  #blamed(error: unknown, method: Method): unknown {
    if (error instanceof SerializationError) Error.captureStackTrace(error, this.#methods[method])
    return error
  }
}
