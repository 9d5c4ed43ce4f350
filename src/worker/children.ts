/**
 * The Processes that this one started and that have not ended, and what becomes of daemons when this one
 * does.
 */
import type { Life } from './life.ts'

/** In order of their start. */
export const children = new Map<object, { life: Life; daemon: boolean }>()
let listening = false

/** Called by Process.start. */
export function addChild(child: object, life: Life, daemon: boolean): void {
  children.set(child, { life, daemon })
  void life.ended.then(() => children.delete(child))
  if (!listening) process.on('exit', endDaemons)
  listening = true
}

/** The others see the end of their stream, and the reaper is behind them; daemons are told, as in Python. */
function endDaemons(): void {
  for (const { life, daemon } of children.values()) if (daemon) life.handle.kill('SIGTERM')
}
