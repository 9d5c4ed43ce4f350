/**
 * Programs in groups of their own must not be left behind when this process ends: the terminal's Ctrl-C does
 * not reach them. While run() waits for one, the signals that end this process are passed on to its group,
 * and what is left at the exit is killed. A program that handles such a signal itself decides itself: its
 * exit is seen here, its signal is not. Nobody can act on SIGKILL, or in a thread that is blocked.
 */
import type { Child } from './child.ts'

const pending = new Set<Child>()
const ending = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Watches over the child until the answer is called. */
export function watchOver(child: Child): () => void {
  if (!child.group) return () => {}
  if (pending.size === 0) listen('on')
  pending.add(child)
  return () => {
    if (pending.delete(child) && pending.size === 0) listen('off')
  }
}

function listen(how: 'on' | 'off'): void {
  process[how]('exit', killAll)
  for (const signal of ending) process[how](signal, passOn)
}

function killAll(): void {
  tell('SIGKILL')
}

function passOn(signal: NodeJS.Signals): void {
  if (process.listenerCount(signal) > 1) return
  tell(signal)
  // Without this listener it does to us what it would have done.
  process.off(signal, passOn)
  process.kill(process.pid, signal)
}

function tell(signal: NodeJS.Signals): void {
  for (const child of pending)
    try {
      child.signal(signal)
    } catch {
      // one that may not be signalled does not keep it from the others
    }
}
