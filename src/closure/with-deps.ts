/**
 * Names that capture cannot see, given by hand. `withDeps` is public; capture asks `depsOf`. A function with
 * deps is captured the same way with and without an inspector: the given names come first, then what the
 * inspector finds.
 */
import { checkFunction } from '../core/options.ts'

/** What withDeps was given. */
export interface Deps {
  readonly fn: Function
  readonly values: ReadonlyMap<string, unknown>
}

const known = new WeakMap<Function, Deps>()

/**
 * Names that capture cannot see (no inspector, or a clearer intent): the same result with and without an
 * inspector. The function returned calls `fn`; where it arrives, `fn` finds `deps` under their names.
 *
 * @example
 * const scale = 3
 * const triple = withDeps((x: number) => x * scale, { scale })
 * triple(2) // => 6
 */
export function withDeps<F extends (...args: never[]) => unknown>(fn: F, deps: Record<string, unknown>): F {
  checkFunction(fn, 'fn')
  if (typeof deps !== 'object' || deps === null)
    throw new TypeError('deps must be an object of names and values')
  const inner = known.get(fn)
  const values = new Map([...(inner?.values ?? []), ...Object.entries(deps)])
  const target = inner?.fn ?? fn
  const wrapper = function (this: unknown, ...args: unknown[]): unknown {
    return Reflect.apply(target, this, args)
  }
  Object.defineProperty(wrapper, 'name', { value: fn.name, configurable: true })
  Object.defineProperty(wrapper, 'length', { value: fn.length, configurable: true })
  known.set(wrapper, { fn: target, values })
  return wrapper as unknown as F
}

/** The function behind a wrapper, and its names; undefined for every other function. */
export function depsOf(fn: Function): Deps | undefined {
  return known.get(fn)
}
