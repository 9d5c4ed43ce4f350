/**
 * The objects of this thread that stand for cells: which there are, and the hold that they have on their
 * cell. The hold ends with the last of them, closed or collected. Whoever makes a class of handles calls
 * `defineHandle` once, `adopt` for each object, and `letGo` where one is closed.
 */
import { registerHandle, type HandleKind } from '../codec/handles.ts'
import { cannotSend } from '../codec/path.ts'
import { ClosedError, SerializationError } from '../core/errors.ts'
import { collectGarbage } from './collector.ts'
import { read as readHeader } from './heap.ts'
import { hold, receive, release, send, unsend } from './holders.ts'
import * as at from './layout.ts'
import { strandedReason, unmappedReason } from './region.ts'

/** A cell that objects of this thread stand for. */
interface Known {
  readonly address: number
  /** Objects that were neither closed nor collected. */
  objects: number
  /** The last of them. */
  last: WeakRef<object>
}

const known = new Map<number, Known>()
/** Of each object, so that closing it needs no search. */
const adopted = new WeakMap<object, Known>()
const collected = new FinalizationRegistry<Known>(drop)

/** From now on the object stands for the cell, which this participant holds already. */
export function adopt(handle: object, address: number): void {
  let cell = known.get(address)
  if (cell === undefined) {
    cell = { address, objects: 0, last: new WeakRef(handle) }
    known.set(address, cell)
  } else cell.last = new WeakRef(handle)
  cell.objects++
  adopted.set(handle, cell)
  collected.register(handle, cell, handle)
}

/** As long as the object is reachable this participant holds the cell, though it is no handle: a view. */
export function keep(object: object, address: number): void {
  let cell = known.get(address)
  if (cell === undefined) known.set(address, (cell = { address, objects: 0, last: new WeakRef(object) }))
  cell.objects++
  collected.register(object, cell)
}

/** The object is closed. A second time is nothing. */
export function letGo(handle: object): void {
  const cell = adopted.get(handle)
  if (cell === undefined) return
  adopted.delete(handle)
  collected.unregister(handle)
  drop(cell)
}

/** The object that stands for a cell which somebody keeps meanwhile; `make` where this thread has none. */
export function handleAt<T extends object>(address: number, make: () => T): T {
  hold(address)
  const here = known.get(address)?.last.deref()
  if (here !== undefined && adopted.has(here)) return here as T
  const made = make()
  adopt(made, address)
  return made
}

function drop(cell: Known): void {
  if (--cell.objects > 0) return
  known.delete(cell.address)
  release(cell.address)
}

/** How the handles of one class travel. */
interface HandleClass<T extends object> {
  readonly room: string
  readonly name: string
  /** What errors call it: "a Queue". */
  readonly what: string
  /** Kind of its cell. */
  readonly cell: number
  /** The cell; throws where the handle is closed. */
  addressOf(handle: T): number
  /** What belongs to it beside the cell: plain data, and handles. */
  extraOf?(handle: T): unknown
  /** A new object for a cell that is held already; the caller adopts it. */
  make(address: number, extra: unknown): T
  /** Each arrival is an object of its own; else a cell has one object in a thread. */
  readonly separate?: boolean
}

export function defineHandle<T extends object>(prototype: T, about: HandleClass<T>): void {
  const { room, name, what } = about
  const kind: HandleKind = {
    room,
    name,
    write(handle, carried, process) {
      const address = openAddress(about, handle as T)
      const reason = process ? unmappedReason() : undefined
      if (reason !== undefined)
        throw cannotSend(`${what} cannot be shared with another process here: ${reason}`, 'Use threads')
      send(address)
      carried.give(kind, address)
      return about.extraOf === undefined ? address : [address, about.extraOf(handle as T)]
    },
    read(state, given) {
      const [address, extra] = (Array.isArray(state) ? state : [state, undefined]) as [number, unknown]
      // First: what lies at the address here is no part of the sender's memory.
      const stranded = strandedReason()
      if (stranded !== undefined) throw outOfReach(what, stranded)
      if (!isCell(address, about.cell)) throw new SerializationError(`${what} has arrived that is not there`)
      // A share of the message, or of its sender, keeps the cell until this participant holds it.
      if (given) receive(address)
      else hold(address)
      const here = about.separate === true ? undefined : known.get(address)?.last.deref()
      if (here !== undefined && adopted.has(here)) return here
      const made = about.make(address, extra)
      adopt(made, address)
      if (about.separate === true) arrived++
      return made
    },
    unsend,
  }
  registerHandle(prototype, kind)
}

/** The sender shares memory with its children, and this one could not open it. */
function outOfReach(what: string, reason: string): SerializationError {
  const hint = 'Start it without --no-addons, under --permission with --allow-addons, and without ulimit -v'
  const message = `${what} has arrived, and this process cannot reach its memory: ${reason}. ${hint}`
  return new SerializationError(message, { hint })
}

/** A closed one cannot travel: an error that says where in the data it is. */
function openAddress<T extends object>(about: HandleClass<T>, handle: T): number {
  try {
    return about.addressOf(handle)
  } catch (error) {
    if (!(error instanceof ClosedError)) throw error
    throw cannotSend(error.message, 'Pass it on before it is closed', error)
  }
}

// ── handles that came with a task ──

/** Separate ones that have arrived since `closeUnused` looked last. */
let arrived = 0
let mayBeLeft = false
let looking = false

/**
 * A task has ended, or with `more` a function was forgotten: what arrived with it and nothing here uses any
 * more is closed, soon. Only the garbage collector knows which those are; it is asked only where there are
 * any whose end somebody may wait for.
 */
export function closeUnused(more = false): void {
  if (looking || (arrived === 0 && !(more && mayBeLeft))) return
  looking = true
  setImmediate(() => {
    looking = false
    arrived = 0
    mayBeLeft = true
    collectGarbage()
  })
}

function isCell(address: unknown, kind: number): boolean {
  if (!Number.isInteger(address) || (address as number) < at.controlFirst) return false
  return (address as number) < at.arenaFirst && readHeader(address as number, at.H_KIND) === kind
}
