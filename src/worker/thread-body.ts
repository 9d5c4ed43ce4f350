/**
 * What makes a thread of a worker's first file: it takes on what its parent handed down, prints by itself,
 * and can be asked to stop. In a thread only.
 */
import type { MessagePort } from 'node:worker_threads'
import { Reviver } from '../closure/revive.ts'
import { isAwaited } from '../core/abort.ts'
import { heritage, setThreadName, setThreadSignal, setThreadStop } from '../core/context.ts'
import { CancelledError } from '../core/errors.ts'
import { setUndisturbed } from '../core/undisturbed.ts'
import { adoptRegion } from '../memory/region.ts'
import { PortChannel } from '../transport/port.ts'
import { begin } from './body.ts'
import { printDirectly } from './console.ts'
import type { StopMessage } from './protocol.ts'
import { self } from './self.ts'
import type { ThreadData } from './thread-handle.ts'
import { ownSlot, settle, type Slot } from './threads.ts'

export function beginThread(): void {
  const { workerData, threadId } = process.getBuiltinModule('node:worker_threads')
  const data = workerData as ThreadData
  for (const [name, value] of data.heritage) heritage.set(name, value)
  adoptRegion(data.memory)
  settle(data.slot, threadId)
  const slot = ownSlot()
  setUndisturbed({ begin: () => slot.begin(), end: () => slot.rest() })
  setThreadName(() => slot.name)
  printDirectly(process.stdout, 1)
  printDirectly(process.stderr, 2)
  if (data.stops !== undefined) listen(data.stops, slot)
  begin((receive, onEnd) => new PortChannel(data.port, receive, onEnd), data.ledger ?? 0)
}

/** The reason comes over `stops`; that there is one, over the slot, where even a blocked thread looks. */
function listen(stops: MessagePort, slot: Slot): void {
  const reviver = new Reviver()
  const controller = new AbortController()
  setThreadSignal(controller.signal)
  const take = ({ templates, bytes }: StopMessage): void => {
    stops.unref()
    if (controller.signal.aborted) return
    const payload = Buffer.from(bytes)
    try {
      for (const template of templates) reviver.addTemplate(Buffer.from(template))
      const ready = reviver.prepare(payload, 0, payload.length)
      if (ready === undefined) return controller.abort(reviver.revive(payload, 0, payload.length))
      ready
        .then(() => controller.abort(reviver.revive(payload, 0, payload.length)))
        .catch((error: unknown) => controller.abort(error))
    } catch (error) {
      controller.abort(error)
    }
  }
  stops.on('message', take)
  stops.unref()
  self.waitsForStop = () => {
    const { signal } = controller
    if (signal.aborted || !isAwaited(signal)) return false
    stops.ref()
    return true
  }
  setThreadStop(() => {
    if (!slot.stopped) return false
    const { receiveMessageOnPort } = process.getBuiltinModule('node:worker_threads')
    const received = receiveMessageOnPort(stops)
    if (received !== undefined) take(received.message as StopMessage)
    // A reason whose class has to be imported first cannot be had while the thread blocks.
    if (!controller.signal.aborted) controller.abort(new CancelledError(`${slot.name} was asked to stop`))
    return true
  })
}
