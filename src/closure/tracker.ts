/**
 * One identity for what has none in bytes: classes and unique symbols. Each process is the home of those it
 * makes; what arrives under an id is registered, so that a second payload finds the same class and what
 * comes home is the home's own. Asked by capture (what is this called?) and by revive (do we have it?).
 * Holds nothing alive: who waits for instances to come home keeps the payload that their class left in.
 */

/** Names this process for as long as it lives. Not a secret. */
export const homeId: string = Array.from({ length: 2 }, () =>
  Math.floor(Math.random() * 2 ** 48)
    .toString(36)
    .padStart(10, '0'),
).join('')

type Tracked = Function | symbol

const ids = new WeakMap<Tracked, string>()
const held = new Map<string, WeakRef<Tracked>>()
const forgotten = new FinalizationRegistry<string>((id) => {
  if (held.get(id)?.deref() === undefined) held.delete(id)
})
let count = 0

/** The id under which a class or symbol travels: given at the first call here, or at home. */
export function idOf(value: Tracked): string {
  let id = ids.get(value)
  if (id === undefined) {
    id = `${homeId}:${++count}`
    track(id, value)
  }
  return id
}

/** The id, where one was given. */
export function knownId(value: Tracked): string | undefined {
  return ids.get(value)
}

/** What this process has under an id: its own, or its copy. */
export function findTracked(id: string): Tracked | undefined {
  return held.get(id)?.deref()
}

/** `value` is from now on what `id` means here. */
export function track(id: string, value: Tracked): void {
  ids.set(value, id)
  held.set(id, new WeakRef(value))
  forgotten.register(value, id)
}

/** Whether the process of this home id made what the id names. */
export function isHomeOf(id: string, home: string = homeId): boolean {
  return id.startsWith(`${home}:`)
}

/** The unique symbol of this id; made at the first sight of it. */
export function symbolOf(id: string, description: string | null): symbol {
  const found = findTracked(id)
  if (typeof found === 'symbol') return found
  const made = Symbol(description ?? undefined)
  track(id, made)
  return made
}
