/**
 * Programs in groups of their own must not be left behind when this process ends: the terminal's Ctrl-C does
 * not reach them. While run() waits for one, the signals that end this process are passed on to its group,
 * and what is left at the exit is killed. A program that handles such a signal itself decides itself: its
 * exit is seen here, its signal is not. Nobody can act on SIGKILL, or in a thread that is blocked.
 */
import type { Child } from './child.ts'

const watches = new Set<Watch>()
const ending = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** A watch over one program: it begins before the start, so that there is no moment without it. */
export class Watch {
  #child: Child | undefined

  constructor() {
    if (watches.size === 0) listen()
    watches.add(this)
  }

  over(child: Child): void {
    this.#child = child
  }

  end(): void {
    if (watches.delete(this) && watches.size === 0) stopListening()
  }

  tell(signal: NodeJS.Signals): void {
    try {
      this.#child?.signal(signal)
    } catch {
      // One that may not be signalled does not keep it from the others.
    }
  }
}

/** In front of all others: a listener that is there once only is not there any more behind itself. */
function listen(): void {
  process.on('exit', killAll)
  for (const signal of ending) process.prependListener(signal, passOn)
}

function stopListening(): void {
  process.off('exit', killAll)
  for (const signal of ending) process.off(signal, passOn)
}

function killAll(): void {
  for (const watch of watches) watch.tell('SIGKILL')
}

function passOn(signal: NodeJS.Signals): void {
  if (process.listenerCount(signal) > 1) return
  for (const watch of watches) watch.tell(signal)
  // Without this listener it does to us what it would have done.
  process.off(signal, passOn)
  process.kill(process.pid, signal)
}
