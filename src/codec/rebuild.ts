/**
 * Builtin classes from their native part: the way back of natives.ts. Called by the decoder, with the
 * prototype of a user's subclass where there is one.
 */
import { makeView, readShared } from './buffers.ts'
import type { Decoder } from './decode.ts'
import { makeError } from './failures.ts'
import * as tag from './tags.ts'

/** Makes the object behind `code`, defines its slot before anything inside it is read, and fills it. */
export function readContent(
  decoder: Decoder,
  code: number,
  slot: number,
  prototype: object | undefined,
): object {
  switch (code) {
    case tag.OBJECT_EMPTY:
      return decoder.defined(slot, prototype === undefined ? {} : (Object.create(prototype) as object))
    case tag.OBJECT_NULL:
      return decoder.defined(slot, Object.create(null) as object)
    case tag.MAP:
      return readMap(decoder, decoder.defined(slot, withPrototype(new Map(), prototype)))
    case tag.SET:
      return readSet(decoder, decoder.defined(slot, withPrototype(new Set(), prototype)))
    case tag.VIEW:
    case tag.SHARED_VIEW:
      return decoder.defined(slot, readView(decoder, code, prototype))
    case tag.ARRAY_BUFFER:
      return decoder.defined(slot, withPrototype(decoder.readBuffer()[0], prototype))
    case tag.SHARED_BUFFER:
      return decoder.defined(slot, withPrototype(readShared(decoder), prototype))
    case tag.ARGUMENTS:
      return readArguments(decoder, slot)
    case tag.ERROR:
      return decoder.defined(slot, makeError(decoder.readString(), prototype))
    default:
      return decoder.defined(slot, withPrototype(readScalar(decoder, code), prototype))
  }
}

function readScalar(decoder: Decoder, code: number): object {
  switch (code) {
    case tag.DATE:
      return new Date(decoder.readFloat())
    case tag.REGEXP: {
      const pattern = new RegExp(decoder.readString(), decoder.readString())
      const lastIndex = decoder.read()
      pattern.lastIndex = typeof lastIndex === 'number' ? lastIndex : 0
      return pattern
    }
    case tag.URL_TAG:
      return new URL(decoder.readString())
    case tag.URL_PARAMS:
      return new URLSearchParams(decoder.readString())
    case tag.BOXED: {
      const primitive = decoder.read()
      if (primitive === null || primitive === undefined || typeof primitive === 'object')
        throw decoder.corrupt('a boxed value that is no primitive')
      return Object(primitive) as object
    }
    case tag.DOM_EXCEPTION:
      return new DOMException(decoder.readString(), decoder.readString())
    default:
      throw decoder.corrupt(`0x${code.toString(16)} begins no value`)
  }
}

function readMap(decoder: Decoder, map: Map<unknown, unknown>): object {
  const count = decoder.readUint()
  decoder.need(count * 2)
  for (let i = 0; i < count; i++) {
    const key = decoder.read()
    Map.prototype.set.call(map, key, decoder.read())
  }
  return map
}

function readSet(decoder: Decoder, set: Set<unknown>): object {
  const count = decoder.readUint()
  decoder.need(count)
  for (let i = 0; i < count; i++) Set.prototype.add.call(set, decoder.read())
  return set
}

function readArguments(decoder: Decoder, slot: number): object {
  const count = decoder.readUint()
  decoder.need(count)
  const made = decoder.defined(slot, argumentsOf.apply(undefined, new Array<unknown>(count)))
  for (let i = 0; i < count; i++) made[i] = decoder.read()
  return made
}

/** Modules are strict: nothing ties the elements to parameters. */
function argumentsOf(..._values: unknown[]): Record<number, unknown> {
  // oxlint-disable-next-line prefer-rest-params -- this very object is wanted
  return arguments
}

function readView(decoder: Decoder, code: number, prototype: object | undefined): object {
  const kind = decoder.readByte()
  const [buffer, base] = code === tag.VIEW ? decoder.readBuffer() : [readShared(decoder), 0]
  const offset = decoder.readUint() - base
  const length = decoder.readUint()
  return makeView(kind, buffer, offset, length, prototype)
}

function withPrototype<T extends object>(value: T, prototype: object | undefined): T {
  return prototype === undefined ? value : (Object.setPrototypeOf(value, prototype) as T)
}
