/** A class that travels by name, and that cannot travel without a reducer. For reducers-*.test.ts. */
export class Price {
  readonly cents: number
  readonly live = new WeakMap<object, number>()
  constructor(cents: number) {
    this.cents = cents
  }
}

/** Not registered here: only the entry knows how a Price travels. */
export class Discount extends Price {}
