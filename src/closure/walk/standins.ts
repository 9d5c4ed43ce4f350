/**
 * What the walk keeps and hands to the codec beside the data itself: objects that stand where it wants to be
 * called back, and private state that waits for its turn. They never leave the walk.
 */
import type { Holder } from './errors.ts'
import type { Fields } from './privates.ts'
import { node } from '../wire.ts'

/** Stands around the captured value, so that the records after it are part of the same codec value. */
export class Root {
  readonly value: unknown
  constructor(value: unknown) {
    this.value = value
  }
}

/** Stands for a root that travels by name, for the same reason. */
export class Named {
  readonly index: number
  constructor(index: number) {
    this.index = index
  }
}

/** Private fields that wait until the instance is written. */
export interface Secret {
  readonly instance: object
  readonly type: Function
  readonly fields: Fields
  readonly via: Holder['via']
}

/** Stands where the units that a reducer's function may need are told about. */
export class Ready {
  readonly kind = node.ready
}
