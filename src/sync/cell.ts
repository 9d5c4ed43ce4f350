/**
 * What all handles of this room have in common: a cell of the region, which every thread and process opens
 * again where a handle arrives, and which ends when nobody holds it any more. The classes extend it, and say
 * with `travels` how they are opened. It never waits and never locks.
 */
import type { Words } from '../memory/atomics.ts'
import { adopt, defineHandle } from '../memory/handles.ts'
import { cellWord, makeCell } from '../memory/holders.ts'
import { region } from '../memory/region.ts'

/** The cell for which a constructor is called to stand, instead of making one; 0 for none. */
let opening = 0

export abstract class Cell {
  // Private, as every view on shared memory is: JSON and v8 copy what they find in own fields.
  readonly #words: Words
  readonly #address: number
  readonly #at: number
  readonly #fresh: boolean

  constructor(kind: number, words: number) {
    this.#words = region().words
    this.#fresh = opening === 0
    this.#address = this.#fresh ? makeCell(kind, words) : opening
    opening = 0
    this.#at = cellWord(this.#address)
    if (this.#fresh) adopt(this, this.#address)
  }

  /** @internal */
  get words(): Words {
    return this.#words
  }

  /** @internal Of the cell. */
  get address(): number {
    return this.#address
  }

  /** @internal The first of its own words. */
  get at(): number {
    return this.#at
  }

  /** @internal Whether this constructor has made the cell, and has to fill it. */
  get fresh(): boolean {
    return this.#fresh
  }

  /** @internal What `console.log` shows behind the class's name. */
  abstract describe(): string

  /** @internal */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return `<${this.constructor.name} ${this.describe()}>`
  }
}

/** What `make` constructs stands for the cell, which this participant holds; the caller adopts it. */
export function openCell<T extends Cell>(address: number, make: () => T): T {
  opening = address
  try {
    return make()
  } finally {
    opening = 0
  }
}

/** Handles of the class travel; `make` calls its constructor with whatever arguments it accepts. */
export function travels<T extends Cell>(
  prototype: T,
  kind: number,
  make: (extra: unknown) => T,
  extraOf?: (handle: T) => unknown,
): void {
  const name = prototype.constructor.name
  defineHandle<T>(prototype, {
    room: 'sync',
    name,
    what: `${/^[AE]/.test(name) ? 'an' : 'a'} ${name}`,
    cell: kind,
    addressOf: (handle) => handle.address,
    make: (address, extra) => openCell(address, () => make(extra)),
    ...(extraOf === undefined ? {} : { extraOf }),
  })
}
