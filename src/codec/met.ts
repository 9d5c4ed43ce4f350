/**
 * What the encoder has met in a message, by identity: objects, functions and symbols. Each gets a slot when
 * it is first met; all are forgotten at the end of the message.
 */

/** So many values are compared one by one before a Set pays. */
const fewValues = 16

/** One message's values; reusable. */
export class Met {
  /** How many values have a slot. */
  count = 0
  private readonly first: unknown[] = new Array<unknown>(fewValues).fill(undefined)
  private all: Set<unknown> | undefined
  private slots: Map<unknown, number> | undefined

  /** The slot of a value that was met before; -1 for a new one, which gets the next slot. */
  slotOf(value: unknown): number {
    const count = this.count
    if (count >= fewValues) return this.lateSlotOf(value)
    const first = this.first
    for (let i = 0; i < count; i++) if (first[i] === value) return i
    first[count] = value
    this.count = count + 1
    return -1
  }

  /** Many values: a Set asks and adds in one step; slots are looked up only once something was met twice. */
  private lateSlotOf(value: unknown): number {
    const all = (this.all ??= new Set(this.first))
    if (this.slots === undefined) {
      all.add(value)
      if (all.size > this.count) {
        this.count++
        return -1
      }
      let slot = 0
      this.slots = new Map()
      for (const each of all) this.slots.set(each, slot++)
    }
    const slot = this.slots.get(value)
    if (slot !== undefined) return slot
    this.slots.set(value, this.count++)
    return -1
  }

  /** Forgets the message. */
  clear(): void {
    const few = Math.min(this.count, fewValues)
    for (let i = 0; i < few; i++) this.first[i] = undefined
    this.all = this.slots = undefined
    this.count = 0
  }
}
