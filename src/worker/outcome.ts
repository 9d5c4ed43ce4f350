/**
 * The child's side of an outcome: sends what target returned or threw. An error always arrives, if need be
 * without the parts of it that cannot travel. Capture is loaded only for what the codec alone cannot carry.
 */
import type { CaptureOptions } from '../closure/capture.ts'
import { Carried } from '../codec/handles.ts'
import { encode } from '../codec/encode.ts'
import { inThread, selfName } from '../core/context.ts'
import { SerializationError } from '../core/errors.ts'
import { sendBytes, type Channel } from '../transport/channel.ts'
import { plainError } from './plain-error.ts'
import { kinds } from './protocol.ts'

/**
 * Sends what target returned to the parent of this home id. Rejects with SerializationError, and nothing was
 * sent, where it cannot travel.
 */
export async function sendResult(channel: Channel, value: unknown, home: string | undefined): Promise<void> {
  if (!sendPlain(channel, kinds.result, value))
    await sendCaptured(channel, kinds.result, value, {
      what: `the result of ${selfName()}`,
      receiver: home,
    })
}

/** Sends what target threw; never rejects. */
export async function sendError(channel: Channel, error: unknown, home: string | undefined): Promise<void> {
  try {
    if (sendPlain(channel, kinds.error, error)) return
    await sendCaptured(channel, kinds.error, error, { what: `the error of ${selfName()}`, receiver: home })
  } catch {
    sendPlain(channel, kinds.error, plainError(error))
  }
}

/** As a payload without code: its first byte is 0. False where the value needs more than the codec. */
function sendPlain(channel: Channel, kind: number, value: unknown): boolean {
  const writer = channel.open(kind)
  try {
    if (value !== undefined) {
      writer.reserve(1)
      writer.bytes[writer.pos++] = 0
      encode(value, writer)
    }
  } catch (error) {
    channel.abandon()
    if (error instanceof SerializationError) return false
    throw error
  }
  channel.commit()
  return true
}

async function sendCaptured(
  channel: Channel,
  kind: number,
  value: unknown,
  options: CaptureOptions,
): Promise<void> {
  const { capture } = await import('../closure/capture.ts')
  const carried = new Carried(false, inThread())
  const { templates, bytes } = capture(value, { ...options, carried })
  carried.sendAhead(channel.beside)
  for (const template of templates) sendBytes(channel, kinds.template, template.bytes)
  sendBytes(channel, kind, bytes)
}
