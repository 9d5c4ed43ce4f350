/**
 * The format, in one place: the first byte of every value. Encoder and decoder read it; nobody else does.
 * All numbers are little-endian; `uint` is a base-128 number of at most 2^32-1; `text` is a string with
 * its tag.
 *
 * message: version (with `trailerFlag` where typed arrays follow), root value, [trailer, u32 length of the
 * trailer]
 *   0x00-0x7f  the integer itself          0x80-0x9f  latin1 text of 0-31 bytes
 *   0xa0-0xaf  array of 0-15 values        0xb0-0xbf  object of one of the first 16 shapes of this message
 * Everything that can be met twice takes the next slot when its first byte is read; REF names a slot.
 */

/** A change that an older decoder cannot read raises it. */
export const version = 1
/** Set in the version byte where a trailer holds the bytes of ArrayBuffers. */
export const trailerFlag = 0x80

export const SHORT_TEXT = 0x80
export const SHORT_ARRAY = 0xa0
export const SHORT_OBJECT = 0xb0

export const NULL = 0xc0
export const UNDEFINED = 0xc1
export const TRUE = 0xc2
export const FALSE = 0xc3
export const NEGATIVE = 0xc5 // u8: -1 - n
export const UINT16 = 0xc6
export const INT32 = 0xc7
export const FLOAT64 = 0xc8
export const BIGINT = 0xc9 // sign u8, text of hexadecimal digits
export const TEXT8 = 0xca // latin1: u8 length
export const LATIN1 = 0xcb // u32 length
export const UTF8 = 0xcc // u32 length
export const UTF16 = 0xcd // u32 length in bytes
export const SYMBOL_REGISTERED = 0xce // text
export const SYMBOL_WELL_KNOWN = 0xcf // text

export const REF = 0xd0 // uint slot
export const ARRAY = 0xd1 // uint count, values
export const INT32S = 0xd2 // uint count, i32 each
export const FLOAT64S = 0xd3 // uint count, f64 each
export const SPARSE = 0xd4 // uint length, uint count, (uint index, value) each
/** The next shape: u8 size of the block, the block (u8 count, (u8 length, latin1) each); then the values. */
export const OBJECT_NEW = 0xd5
export const OBJECT = 0xd6 // uint shape, values
export const OBJECT_EMPTY = 0xd7
export const OBJECT_NULL = 0xd8 // an empty object without prototype
/** u8 level, value (not EXTRAS), uint count, properties; see `flags`. */
export const EXTRAS = 0xd9
export const EXTENSION = 0xda // what EncodeExtension.encode wrote
export const REDUCED = 0xdb // function, state: the value is function(state)
export const REDUCED_CALL = 0xdc // function, array: the value is function(...array)
export const HANDLE_GIVEN = 0xdd // text room, text name, state: see handles.ts
export const HANDLE_LENT = 0xde // the same, and others may read it too

export const MAP = 0xe0 // uint count, (key, value) each
export const SET = 0xe1 // uint count, values
export const DATE = 0xe2 // f64
export const REGEXP = 0xe3 // text source, text flags, uint lastIndex
export const URL_TAG = 0xe4 // text
export const URL_PARAMS = 0xe5 // text
export const BOXED = 0xe6 // a primitive
export const ERROR = 0xe7 // text: name of the class; the rest are properties
export const DOM_EXCEPTION = 0xe8 // text message, text name
export const ARRAY_BUFFER = 0xe9 // uint number in the trailer
export const VIEW = 0xea // u8 kind, uint number in the trailer, uint byte offset, uint length
export const SHARED_BUFFER = 0xeb // u8 lent, uint thread, uint number: see shared-buffers.ts
export const SHARED_VIEW = 0xec // u8 kind, the same three, uint byte offset, uint length
/** Only through writeNative: an ordinary object whose properties follow. */
export const INSTANCE = 0xed
export const ARGUMENTS = 0xee // uint count, values: the `arguments` of a strict function

/** Of a property in EXTRAS: key (text or symbol), u8 flags, value or (getter, setter). */
export const ENUMERABLE = 1
export const WRITABLE = 2
export const CONFIGURABLE = 4
export const ACCESSOR = 8

/** Levels of EXTRAS: how far the object is closed. */
export const PREVENTED = 1
export const SEALED = 2
export const FROZEN = 3
