/**
 * What happens to workers, as lines for people: on stderr with NODE_DEBUG=plait, as for any part of Node, and
 * with PLAIT_LOG=1; into a file with PLAIT_LOG=/path, which all processes of a program share. Children
 * inherit both. Written where something rare happens (a start, a death, a kill), never for each task.
 */
import { appendFileSync } from 'node:fs'
import { debuglog } from 'node:util'
import { selfName } from './context.ts'

const debug = debuglog('plait')
let complained = false

/** One line, without its time and who says it. Never throws. */
export function log(line: string): void {
  debug('%s', line)
  const to = process.env['PLAIT_LOG'] ?? ''
  if (to === '' || to === '0') return
  const whole = `${new Date().toISOString()} ${selfName()} (pid ${process.pid}): ${line}\n`
  try {
    if (/^(?:1|true|yes|on)$/i.test(to)) process.stderr.write(whole)
    else appendFileSync(to, whole)
  } catch (error) {
    if (complained) return
    complained = true
    process.emitWarning(`PLAIT_LOG: ${(error as Error).message}`)
  }
}
