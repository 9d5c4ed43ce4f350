/**
 * What may come of a task in the table of failures: in words, for the page, and as an assertion, for the
 * walk. One is made from the other, so that they cannot differ.
 */
import assert from 'node:assert/strict'
import type * as plait from 'plait'
import type { Scene, Settled } from './failures-stage.js'

/** What the caller of a task gets. */
export interface Outcome {
  readonly says: string
  check(settled: Settled, scene: Scene): void
}

const describe = (settled: Settled): string =>
  settled.status === 'rejected' ? String(settled.reason) : 'it settled with a value'

const valueFrom = (says: string, here: boolean): Outcome => ({
  says,
  check(settled, { pid }) {
    assert.equal(settled.status, 'fulfilled', describe(settled))
    assert.equal(settled.value === pid, here, 'by the right worker')
  },
})
export const value = valueFrom('its value', true)
export const elsewhere = valueFrom('its value, from another worker', false)

type ErrorName = 'Error' | 'RangeError' | 'AbortError' | Extract<keyof typeof plait, `${string}Error`>

/** An error of this name whose message, or whose cause's, has `gist`. */
export const error = (name: ErrorName, gist: string, more: (error: Error) => void = () => {}): Outcome => ({
  says: `\`${name}\`: ${gist}`,
  check(settled) {
    assert.equal(settled.status, 'rejected', describe(settled))
    const reason = settled.reason as Error
    assert.equal(reason.name, name, String(reason))
    assert.ok(reason.message.includes(gist), reason.message)
    more(reason)
  },
})
export const lost = (gist: string): Outcome => error('WorkerLostError', gist)
export const killed = lost('was killed by SIGKILL')
export const broken = (gist: string): Outcome => error('BrokenPoolError', gist)
export const terminated = error('PoolTerminatedError', 'was terminated before')
