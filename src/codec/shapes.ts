/**
 * Shapes: the ordered keys of plain objects. A message carries each of its shapes once, so that a thousand
 * alike objects cost a thousand rows of values. Both sides also remember shapes across messages, by
 * content and bounded, to spare the work of writing and reading the same keys; no message depends on an
 * earlier one.
 */
import { OBJECT_NEW } from './tags.ts'

/** A node of the encoder's tree of keys: the path from the root is the shape. */
export interface ShapeNode {
  readonly keys: readonly string[]
  /** OBJECT_NEW with the block of keys; made when first needed. */
  bytes: Buffer | undefined
  /** Number in the message of `epoch`, and which message that is. */
  id: number
  epoch: number
  lastKey: string | undefined
  lastChild: ShapeNode | undefined
  children: Map<string, ShapeNode> | undefined
}

const maxBlock = 255
const maxNodes = 4096
let root = newNode([])
let nodes = 0

/**
 * Where a walk over an object's keys begins. The tree is thrown away when it is full, so ask for each
 * object.
 */
export function shapeRoot(): ShapeNode {
  if (nodes > maxNodes) {
    root = newNode([])
    nodes = 0
  }
  return root
}

/** One key further, or undefined where such an object must be written without a shape. */
export function nextShape(node: ShapeNode, key: string): ShapeNode | undefined {
  let child = node.children?.get(key)
  if (child === undefined) {
    if (!fits(node.keys, key)) return undefined
    child = newNode([...node.keys, key])
    node.children ??= new Map()
    node.children.set(key, child)
    nodes++
  }
  node.lastKey = key
  node.lastChild = child
  return child
}

/** The bytes that announce the shape in a message. */
export function shapeBytes(node: ShapeNode): Buffer {
  return (node.bytes ??= Buffer.concat([
    Buffer.from([OBJECT_NEW, blockSize(node.keys), node.keys.length]),
    ...node.keys.map((key) => Buffer.from(String.fromCharCode(key.length) + key, 'latin1')),
  ]))
}

function newNode(keys: readonly string[]): ShapeNode {
  return {
    keys,
    bytes: undefined,
    id: 0,
    epoch: 0,
    lastKey: undefined,
    lastChild: undefined,
    children: undefined,
  }
}

function blockSize(keys: readonly string[]): number {
  let size = 1
  for (const key of keys) size += key.length + 1
  return size
}

/**
 * Assigning `__proto__` would set the prototype; long and non-latin1 keys are rare enough for the long
 * way.
 */
function fits(keys: readonly string[], key: string): boolean {
  if (key === '__proto__' || blockSize(keys) + key.length + 1 > maxBlock) return false
  for (let i = 0; i < key.length; i++) if (key.charCodeAt(i) > 0xff) return false
  return true
}

/** What the decoder knows of a block of keys that it has seen. */
interface KnownBlock {
  readonly bytes: Buffer
  readonly keys: readonly string[]
}

const known: (KnownBlock | undefined)[] = new Array<KnownBlock | undefined>(256).fill(undefined)

/**
 * The keys of the block at `pos` of `size` bytes, which lie inside the message; undefined where it is
 * malformed.
 */
export function readShape(bytes: Buffer, pos: number, size: number): readonly string[] | undefined {
  // The ends tell most blocks apart; which it is, the comparison says.
  let hash = size
  for (let i = 0, last = pos + size - 1; i < 6 && i < size; i++)
    hash = (Math.imul(hash, 31) + (bytes[pos + i]! ^ (bytes[last - i]! << 4))) | 0
  const place = (hash ^ (hash >>> 8)) & 255
  const candidate = known[place]
  if (candidate !== undefined && sameBytes(candidate.bytes, bytes, pos, size)) return candidate.keys
  const keys = parseBlock(bytes, pos, size)
  if (keys !== undefined) known[place] = { bytes: Buffer.from(bytes.subarray(pos, pos + size)), keys }
  return keys
}

function sameBytes(block: Buffer, bytes: Buffer, pos: number, size: number): boolean {
  if (block.length !== size) return false
  for (let i = 0; i < size; i++) if (block[i] !== bytes[pos + i]) return false
  return true
}

function parseBlock(bytes: Buffer, pos: number, size: number): string[] | undefined {
  const end = pos + size
  if (size === 0) return undefined
  const count = bytes[pos++]!
  const keys: string[] = []
  for (let i = 0; i < count; i++) {
    if (pos >= end) return undefined
    const length = bytes[pos++]!
    if (pos + length > end) return undefined
    const key = bytes.toString('latin1', pos, pos + length)
    if (key === '__proto__' || keys.includes(key)) return undefined
    keys.push(key)
    pos += length
  }
  return pos === end && count > 0 ? keys : undefined
}
