/**
 * One payload on its way back. The constructor makes every unit: group instances, cells that need no body,
 * classes, superclasses first. Then it is the codec's extension while the body is decoded, whose records
 * set the remaining cells and what hangs on units. Made by Reviver for each payload, and dropped.
 */
import type { DecodeExtension, Decoder } from '../../codec/decode.ts'
import { receiveReducer, type Reducer } from '../../codec/reducers.ts'
import { SerializationError } from '../../core/errors.ts'
import { Instance, owned, templateOf } from './factory.ts'
import {
  adopterOf,
  rememberClass,
  revivedClass,
  setHomePrivates,
  setPrivates,
  setStatics,
  type HomePrivates,
  type RevivedClass,
} from './instances.ts'
import { Overlay } from './overlay.ts'
import { resolve } from './references.ts'
import type { Box, ClassHooks, UnitData } from '../template.ts'
import { findTracked, track } from '../tracker.ts'
import {
  flag,
  node,
  record,
  type ClassEntry,
  type Early,
  type GroupEntry,
  type Prelude,
  type Reference,
} from '../wire.ts'

/** A unit's place: in which group instance, under which number. */
interface Place {
  readonly instance: Instance
  readonly index: number
}

/** The codec's extension for one body; every unit exists when it is made. */
export class Revival implements DecodeExtension {
  readonly #references: unknown[]
  readonly #units: Function[] = []
  readonly #places: Place[] = []
  /** Classes of this process's own: what the payload says of their state is older than they are. */
  readonly #atHome = new Set<number>()
  /** #private fields of instances of this process's own classes; set all at once. */
  readonly #homecoming: HomePrivates[] = []
  /** Where the value of a cell goes, by its payload-wide number. */
  readonly #cells = new Map<number, Place[]>()

  readonly #overlay = new Overlay()

  /** Of the cells among them that hold an owned variable's first value: its key. */
  readonly #owned: ReadonlyMap<number, string>

  constructor({ references, groups, classes, early, owned: firsts }: Prelude) {
    this.#references = references.map(resolve)
    this.#owned = new Map(firsts.map(([key, cell]) => [cell, key]))
    const classOf = new Map(classes.map((entry) => [entry.unit, entry]))
    for (const group of groups) this.#makeGroup(group, classOf)
    for (const [cell, value] of early)
      this.#setCell(cell, this.#early(value), value[0] === 'reference' ? references[value[1]] : undefined)
    for (const entry of classes) this.#makeClass(entry)
    for (const { unit } of classes) this.#layOver(unit)
  }

  // ── units ──

  /**
   * Makes the group's functions. Its classes wait for the early cells, but for those that are here already.
   */
  #makeGroup({ template, units, cells }: GroupEntry, classes: ReadonlyMap<number, ClassEntry>): void {
    let instance: Instance | undefined
    let missing = 0
    const boxes = new Map<number, Box>()
    for (const [index, unit] of units.entries()) {
      const type = knownClass(classes.get(unit))
      if (type === undefined) {
        missing++
        continue
      }
      this.#units[unit] = type
      const copy = revivedClass(type)
      // A second payload with this class: it is the same class, and its variables get the new values.
      if (copy === undefined) this.#atHome.add(unit)
      else if (copy.instance.data.id === template) instance = copy.instance
      else this.#joinCells(copy, templateOf(template).units[index] as UnitData, cells, boxes)
    }
    if (instance === undefined && missing === 0) return
    instance ??= new Instance(template)
    for (const [index, cell] of cells.entries()) {
      this.#placesOf(cell).push({ instance, index })
      shareBox(boxes, index, instance, index)
    }
    for (const [index, unit] of units.entries()) {
      this.#places[unit] = { instance, index }
      const entry = classes.get(unit)
      if (entry === undefined) this.#units[unit] = instance.functionOf(index)
      else if (this.#units[unit] === undefined) this.#makeConstructor(entry, instance, index)
    }
  }

  /**
   * A class that is here already, from a group of other company: its own variables, by name, which those of
   * this group become where they are boxed.
   */
  #joinCells(
    { instance, data }: RevivedClass,
    now: UnitData,
    cells: readonly number[],
    boxes: Map<number, Box>,
  ): void {
    const indexes = new Map(data.cells)
    for (const [name, cell] of now.cells) {
      const index = indexes.get(name)
      if (index === undefined) continue
      this.#placesOf(cells[cell] as number).push({ instance, index })
      shareBox(boxes, cell, instance, index)
    }
  }

  /** A class of the old style is a function, and made like one. */
  #makeConstructor({ unit, id }: ClassEntry, instance: Instance, index: number): void {
    const data = instance.data.units[index] as UnitData
    if (data.kind === 'class') return
    const made = instance.functionOf(index)
    this.#units[unit] = made
    rememberClass(made, { instance, data, hooks: {} })
    track(id, made)
  }

  #makeClass({ unit, id, parent, keys }: ClassEntry): void {
    const known = this.#units[unit]
    if (known !== undefined) {
      if (parent !== undefined && !this.#atHome.has(unit)) derive(known, this.#early(parent))
      return
    }
    const { instance, index } = this.#places[unit] as Place
    const hooks: ClassHooks = {}
    const values = keys.map((key) => (key === null ? null : this.#early(key)))
    const made = instance.makeClass(
      index,
      parent === undefined ? undefined : this.#early(parent),
      values,
      hooks,
    )
    this.#units[unit] = made
    rememberClass(made, { instance, data: instance.data.units[index] as UnitData, hooks })
    track(id, made)
  }

  /** What this payload does not say of a class is no more so. */
  #layOver(unit: number): void {
    if (this.#atHome.has(unit)) return
    const type = this.#units[unit] as Function
    this.#overlay.begin(type)
    const prototype: unknown = type.prototype
    if (typeof prototype === 'object' && prototype !== null) this.#overlay.begin(prototype)
  }

  #early([kind, value]: Early): unknown {
    if (kind === 'value') return value
    return kind === 'reference' ? this.#references[value] : this.#units[value]
  }

  // ── cells ──

  #placesOf(cell: number): Place[] {
    let places = this.#cells.get(cell)
    if (places === undefined) this.#cells.set(cell, (places = []))
    return places
  }

  #setCell(cell: number, value: unknown, reference?: Reference): void {
    for (const { instance, index } of this.#cells.get(cell) ?? []) instance.setCell(index, value, reference)
    const key = this.#owned.get(cell)
    if (key !== undefined && !(key in owned)) owned[key] = value
  }

  // ── the body ──

  decode(decoder: Decoder, slot: number): unknown {
    switch (decoder.readUint()) {
      case node.root: {
        const value = decoder.read()
        this.#records(decoder)
        this.#overlay.end()
        return value
      }
      case node.ready:
        this.#records(decoder)
        return null
      case node.reference:
        return defined(decoder, slot, this.#references[decoder.readUint()])
      case node.unit:
        return defined(decoder, slot, this.#units[decoder.readUint()])
      case node.bound: {
        const target = decoder.read() as Function
        const self = decoder.read()
        const args = Array.from({ length: decoder.readUint() }, () => decoder.read())
        return defined(decoder, slot, Reflect.apply(Function.prototype.bind, target, [self, ...args]))
      }
      case node.instance: {
        const type = decoder.read() as Function
        return decoder.readNative(slot, type.prototype as object, adopterOf(type))
      }
      case node.object: {
        const prototype = decoder.read() as object
        return decoder.readNative(slot, prototype, adopterOf(constructorAlong(prototype), prototype))
      }
      case node.prototype:
        return defined(decoder, slot, (decoder.read() as Function).prototype)
      default:
        throw new SerializationError('corrupt data: an unknown kind of value in a payload')
    }
  }

  #records(decoder: Decoder): void {
    while (this.#record(decoder));
    setHomePrivates(this.#homecoming.splice(0))
  }

  /** Reads one record; false at the end. */
  #record(decoder: Decoder): boolean {
    const kind = decoder.readUint()
    switch (kind) {
      case record.end:
        return false
      case record.cell:
        this.#setCell(decoder.readUint(), decoder.read())
        return true
      case record.privates: {
        const instance = decoder.read() as object
        const type = decoder.read() as Function
        const fields = readPairs(decoder)
        if (revivedClass(type) === undefined) this.#homecoming.push({ type, instance, fields })
        else setPrivates(type, instance, fields)
        return true
      }
      case record.reducer:
        receiveReducer(decoder.read() as Function, readReducer(decoder))
        return true
      default:
        this.#unitRecord(kind, decoder)
        return true
    }
  }

  /** What hangs on a unit. For a class of this process it is read, and left. */
  #unitRecord(kind: number, decoder: Decoder): void {
    const number = decoder.readUint()
    const unit = this.#units[number] as Function & { prototype: object }
    const atHome = this.#atHome.has(number)
    switch (kind) {
      case record.own:
        return readProperties(decoder, atHome ? undefined : unit, this.#overlay)
      case record.prototype:
        return readProperties(decoder, atHome ? undefined : unit.prototype, this.#overlay)
      case record.statics: {
        const values = readPairs(decoder)
        if (!atHome) setStatics(unit, values)
        return
      }
      case record.parent:
      case record.kind: {
        const value = decoder.read() as object | null
        if (!atHome) Object.setPrototypeOf(kind === record.kind ? unit : unit.prototype, value)
        return
      }
      case record.home: {
        const { instance, index } = this.#places[number] as Place
        return instance.setHome(index, decoder.read() as object)
      }
      default:
        throw new SerializationError('corrupt data: an unknown kind of record in a payload')
    }
  }
}

function knownClass(entry: ClassEntry | undefined): Function | undefined {
  const found = entry === undefined ? undefined : findTracked(entry.id)
  return typeof found === 'function' ? found : undefined
}

/** One box for each of a group's cells: the first that was there. */
function shareBox(boxes: Map<number, Box>, cell: number, instance: Instance, index: number): void {
  const box = boxes.get(cell)
  if (box !== undefined) return instance.setBox(index, box)
  const own = instance.boxOf(index)
  if (own !== undefined) boxes.set(cell, own)
}

/** The superclass as it is now: someone may have set another one by hand. */
function derive(type: Function, parent: unknown): void {
  const above = (parent ?? Function.prototype) as Function
  if (Object.getPrototypeOf(type) === above) return
  Object.setPrototypeOf(type, above)
  Object.setPrototypeOf(type.prototype, parent === null ? null : (above.prototype as object))
}

/** The class whose instances inherit from this object; Object where there is none. */
function constructorAlong(prototype: object): Function {
  for (let one: object | null = prototype; one !== null; one = Object.getPrototypeOf(one) as object | null) {
    const type: unknown = Object.getOwnPropertyDescriptor(one, 'constructor')?.value
    if (typeof type === 'function' && type.prototype === one) return type
  }
  return Object
}

function defined<T>(decoder: Decoder, slot: number, value: T): T {
  decoder.define(slot, value)
  return value
}

/** A reducer, or what says why there is none as soon as one is needed. */
function readReducer(decoder: Decoder): Reducer<object> {
  const reduce = decoder.read() as Reducer<object>['reduce'] | string
  const revive = decoder.read() as Reducer<object>['revive']
  if (typeof reduce !== 'string') return { reduce, revive }
  const refuse = (): never => {
    throw new Error(reduce)
  }
  return { reduce: refuse, revive: refuse }
}

function readPairs(decoder: Decoder): [name: string, value: unknown][] {
  return Array.from({ length: decoder.readUint() }, () => [decoder.readString(), decoder.read()])
}

/** Reads properties and defines them on `target`, where there is one. */
function readProperties(decoder: Decoder, target: object | undefined, overlay: Overlay): void {
  for (let left = decoder.readUint(); left > 0; left--) {
    const key = decoder.read() as string | symbol
    const flags = decoder.readUint()
    const descriptor: PropertyDescriptor = {
      enumerable: (flags & flag.enumerable) !== 0,
      configurable: (flags & flag.configurable) !== 0,
    }
    if ((flags & flag.accessor) !== 0) {
      descriptor.get = decoder.read() as never
      descriptor.set = decoder.read() as never
    } else {
      descriptor.value = decoder.read()
      descriptor.writable = (flags & flag.writable) !== 0
    }
    if (target !== undefined) overlay.define(target, key, descriptor)
  }
}
