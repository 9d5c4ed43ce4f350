/**
 * Signals by name and number, and how one reaches a child or its whole group. Nothing is ever sent to a
 * number that may belong to someone else by now.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { constants } from 'node:os'
import { inspect } from 'node:util'

const numbers = constants.signals as Readonly<Record<string, number | undefined>>

/** The number behind a signal, or what is wrong with it. 0 only asks whether there is anyone. */
export function signalNumber(signal: unknown): number {
  const number = typeof signal === 'string' ? numbers[signal] : signal
  if (typeof signal !== 'string' && typeof signal !== 'number')
    throw new TypeError(`a signal is a name or a number, got ${inspect(signal)}`)
  if (typeof number !== 'number' || !Number.isInteger(number) || number < 0 || number > lastSignal)
    throw new RangeError(`there is no signal ${inspect(signal)}`)
  return number
}

/** 9 → 'SIGKILL'; undefined where the number has no name. */
export function signalName(number: number): string | undefined {
  return Object.keys(numbers).find((name) => numbers[name] === number)
}

/** The last of the real-time signals. Node does not tell one from another, nor in time from a good end. */
const lastSignal = 64

/** How Python counts the ends: n for exit(n), -N for signal N. */
export function returncodeOf(code: number | null, signal: string | null): number {
  return code ?? -(numbers[signal ?? ''] ?? lastSignal)
}

/** Sends `signal` to a process, or with a negative number to a group. False where there is none any more. */
export function send(pid: number, signal: number): boolean {
  try {
    return process.kill(pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
    throw error
  }
}

/**
 * Sends `signal` to what is left of a group whose leader has ended. The system gives the leader's number to
 * nobody while its group lives; where a process has that number, the group is gone and the number another's.
 */
export function sendToRest(leader: number, signal: number): boolean {
  return !exists(leader) && send(-leader, signal)
}

/** Whether there is something of it, dead or alive. */
export function restExists(leader: number): boolean {
  return !exists(leader) && exists(-leader)
}

/**
 * Whether something of a group whose leader has ended still runs. What is dead stays in its group until its
 * parent, often an init that is in no hurry, has asked for it; where the system tells the dead from the
 * living, only the living count.
 */
export function restRuns(leader: number): boolean {
  if (!restExists(leader)) return false
  try {
    return readdirSync('/proc').some((name) => /^\d+$/.test(name) && runsInGroup(name, leader))
  } catch {
    return true
  }
}

function runsInGroup(pid: string, group: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // Behind the name, which may have blanks and brackets: state, parent, group.
    const [state, , of] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return Number(of) === group && state !== 'Z' && state !== 'X'
  } catch {
    return false // it has ended meanwhile
  }
}

/** A process that may not be signalled exists as well. */
function exists(pid: number): boolean {
  try {
    return send(pid, 0)
  } catch {
    return true
  }
}
