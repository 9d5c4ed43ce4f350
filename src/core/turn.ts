/**
 * Turns of the event loop, for promises that settle at once as long as there is something to be had: a loop
 * that awaits them would never let a timer, a socket or an abort through. Whoever answers such a promise asks
 * here, and after some milliseconds of that is told to let the loop turn once. Never asked by sync forms.
 */
import { outside } from './context.ts'

/** Calls for which the clock is looked at once. */
const stride = 16
/** Milliseconds without a turn after which the next promise waits for one. */
const longest = 5
/** Whatever a program puts in its place later. */
const soon = setImmediate

let calls = 0
/** When calls without a turn were first noticed. */
let since: number | undefined
/** What ends with the turn: all that is settled meanwhile waits for it, so that the order stays. */
let pause: Promise<void> | undefined
let turned: (() => void) | undefined

/** Undefined as a rule; else what an answer that is there already is given after. */
export function turnDue(): Promise<void> | undefined {
  if (pause === undefined && ++calls >= stride) look()
  return pause
}

/** What others answer meanwhile must not overtake. */
export function turnUnderWay(): Promise<void> | undefined {
  return pause
}

function look(): void {
  calls = 0
  const now = performance.now()
  if (since === undefined) {
    since = now
    outside(() => soon(hasTurned))
  } else if (now - since > longest) pause = new Promise((resolve) => (turned = resolve))
}

function hasTurned(): void {
  calls = 0
  since = undefined
  pause = undefined
  turned?.()
  turned = undefined
}
