/**
 * What a face takes in at a submit: captures the function, encodes the arguments, both as they are now. Its
 * errors name the method and what it was given, and their stacks begin where the caller called it. Starts
 * nothing.
 */
import { capture, type CaptureOptions, type Payload } from '../closure/capture.ts'
import { Carried } from '../codec/handles.ts'
import type { OwnedVariables } from '../closure/walk/owned.ts'
import { SerializationError } from '../core/errors.ts'
import { Slab } from './slab.ts'
import type { Arguments } from './task.ts'

type Given = { readonly fn: CaptureOptions; readonly args: CaptureOptions }

export class Intake {
  readonly #face: object
  /** What messages call the face: 'pool'. */
  readonly noun: string
  readonly #owned: OwnedVariables | undefined
  readonly #given = new Map<string, Given>()
  readonly #slab = new Slab()
  /** Handles among arguments are lent: a task may be sent to several workers, one after the other. */
  readonly #carried: Carried

  /** `face` has the methods by which work is submitted; `owned` belongs to its workers. */
  constructor(face: object, noun: string, owned: OwnedVariables | undefined, inside: boolean) {
    this.#carried = new Carried(true, inside)
    this.#face = face
    this.noun = noun
    this.#owned = owned
  }

  /** 'pool.map', say. */
  nameOf(method: string): string {
    return `${this.noun}.${method}`
  }

  /** The function as it is now: later changes of what it captured are not seen. */
  capture(method: string, fn: Function): Payload {
    try {
      return capture(fn, this.#about(method).fn)
    } catch (error) {
      throw this.#blamed(error, method)
    }
  }

  /** What `fn` is called with. */
  encode(method: string, args: readonly unknown[], fn: Payload): Arguments {
    try {
      return this.#slab.encode(args, this.#about(method).args, fn)
    } catch (error) {
      throw this.#blamed(error, method)
    }
  }

  /** `part` begins at `offset` of all items, which are all there: an error is one of the whole submit. */
  encodeChunk(method: string, part: readonly unknown[], offset: number, fn: Payload): Arguments {
    try {
      return this.encode(method, part, fn)
    } catch (error) {
      // Said again with the place among all items.
      if (offset > 0) this.encode(method, [...new Array<undefined>(offset), ...part], fn)
      throw error
    }
  }

  /**
   * The error of one item among many that are taken one by one, long after the submit; undefined where it can
   * travel.
   */
  refusal(method: string, item: unknown, place: number): unknown {
    try {
      const what = `item ${place} given to ${this.nameOf(method)}`
      capture(item, { what, owned: this.#owned, inside: this.#carried.inside })
      return undefined
    } catch (error) {
      return error
    }
  }

  #about(method: string): Given {
    let given = this.#given.get(method)
    if (given === undefined) {
      const items = /^(apply|submit)/.test(method) ? 'arguments' : 'items'
      const name = this.nameOf(method)
      const owned = this.#owned
      const { inside } = this.#carried
      const fn = { what: `the function given to ${name}`, owned, inside }
      const args = { what: `the ${items} given to ${name}`, owned, carried: this.#carried }
      this.#given.set(method, (given = { fn, args }))
    }
    return given
  }

  #blamed(error: unknown, method: string): unknown {
    const called = (this.#face as Record<string, Function>)[method]
    if (error instanceof SerializationError && called !== undefined) Error.captureStackTrace(error, called)
    return error
  }
}
