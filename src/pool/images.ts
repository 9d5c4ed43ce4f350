/**
 * The functions that a pool's tasks call, as captured: each is sent to a worker once, before the first task
 * that calls it there. One that captured nothing that can change lives on and is shared by all its calls; any
 * other belongs to one submit (a snapshot) and is forgotten by the workers when its last task has ended.
 */
import type { Payload } from '../closure/capture.ts'

/** What was learnt of all functions with the same code: how long their tasks take. */
export class Profile {
  /** Microseconds, a moving average; Infinity before the first task has ended. */
  mean = Infinity

  /**
   * One long task among many short ones moves it little: it was preempted, or what waits behind it is
   * recalled.
   */
  record(us: number): void {
    if (this.mean === Infinity) this.mean = us
    else this.mean += (Math.min(us, this.mean * 8 + 1) - this.mean) / 16
  }
}

let lastId = 0

/** One captured function in one pool. */
export class Image {
  readonly id = ++lastId
  readonly payload: Payload
  readonly profile: Profile
  /** The function's name, for messages. */
  readonly name: string
  /** Tasks that are not settled, and submits in progress. */
  uses = 0
  /** Workers that have it; emptied of those that die by the pool. */
  readonly holders = new Set<{ forget(image: Image): void }>()

  constructor(payload: Payload, profile: Profile, name: string) {
    this.payload = payload
    this.profile = profile
    this.name = name
  }
}

/** Stable images kept beside those in use. */
const maxKept = 256

export class Images {
  readonly #kept = new Map<number, Image>()
  readonly #profiles = new Map<string, Profile>()

  /** The image of `fn`, captured just now; the caller retains it until its tasks do. */
  of(payload: Payload, fn: Function): Image {
    const known = this.#kept.get(payload.id)
    if (known !== undefined) return known
    const name = fn.name || '(anonymous)'
    const image = new Image(payload, this.#profile(payload, name), name)
    if (payload.stable) this.#keep(image)
    return image
  }

  retain(image: Image): void {
    image.uses++
  }

  release(image: Image): void {
    image.uses--
    if (image.uses === 0 && this.#kept.get(image.payload.id) !== image) this.#forget(image)
  }

  #keep(image: Image): void {
    this.#kept.set(image.payload.id, image)
    if (this.#kept.size <= maxKept) return
    for (const old of this.#kept.values()) {
      this.#kept.delete(old.payload.id)
      if (old.uses === 0) this.#forget(old)
      return
    }
  }

  #forget(image: Image): void {
    for (const holder of image.holders) holder.forget(image)
    image.holders.clear()
    image.payload.lent.drop()
  }

  #profile(payload: Payload, name: string): Profile {
    const key = payload.templates[0]?.id ?? `reference ${name}`
    let profile = this.#profiles.get(key)
    if (profile === undefined) {
      if (this.#profiles.size >= 4 * maxKept) this.#profiles.clear()
      this.#profiles.set(key, (profile = new Profile()))
    }
    return profile
  }
}
