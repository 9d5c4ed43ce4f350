/**
 * Shapes: the ordered keys of plain objects. A message carries each of its shapes once, so that a thousand
 * alike objects cost a thousand rows of values. Both sides also remember shapes across messages, by
 * content and bounded, to spare the work of writing and reading the same keys; no message depends on an
 * earlier one. This is the encoder's side; the decoder's is in records.ts.
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
