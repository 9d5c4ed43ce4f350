/**
 * One capture, from the root value to the payload's bytes: the codec walks the data and calls back here for
 * what it does not know; functions met on the way are numbered at once and looked into when the root is
 * written, so that no depth of closures is a depth of recursion. Made by capture for each payload, and
 * dropped.
 */
import { encode, type EncodeExtension, type Encoder } from '../../codec/encode.ts'
import { Carried } from '../../codec/handles.ts'
import { cannotSend } from '../../codec/path.ts'
import { Writer } from '../../codec/writer.ts'
import type { CaptureOptions } from '../capture.ts'
import { Annex, isConstructor, PrototypeOf, writeFields } from './annex.ts'
import { aboutFunction, addAdvice, inRoot, inVariable, subjectOf, type Holder } from './errors.ts'
import { Finder } from './find.ts'
import { joinGroups } from '../layout/groups.ts'
import { constructorOf } from './members.ts'
import { Names } from '../names/names.ts'
import { originOf } from './origins.ts'
import { Owners } from './owners.ts'
import { mayBeNamed } from '../plain.ts'
import { brandedClasses, instanceFields } from './privates.ts'
import { refusalOf, Registrations, type Registered } from './registered.ts'
import { Named, Ready, Root, type Secret } from './standins.ts'
import { Table } from './table.ts'
import { idOf } from '../tracker.ts'
import type { Cell, Template, Unit } from '../unit.ts'
import { isNative, isWellknownSymbol } from '../names/wellknown.ts'
import { form, node, record, type Early } from '../wire.ts'
import { depsOf } from '../with-deps.ts'

/** One function or class that travels by value, from the moment it is met. */
export interface Captured extends Holder {
  readonly index: number
  /** Known once it was looked into. */
  unit: Unit | undefined
}

export class Walk implements EncodeExtension {
  readonly carried: Carried | undefined
  readonly finder: Finder
  readonly units: Captured[] = []
  readonly #options: CaptureOptions
  readonly #names: Names
  readonly table = new Table()
  readonly #captured = new Map<Function, Captured>()
  readonly #written = new Set<Cell>()
  readonly #secrets: Secret[] = []
  readonly #registrations = new Registrations(
    (type) => this.#captured.has(type) || this.#names.isShared(type),
  )
  readonly #owners = new Owners()
  /** What bound functions bind: an owner, perhaps. */
  readonly #bound: unknown[] = []
  #nextUnit = 0
  #nextSecret = 0
  /**
   * Classes of which an instance was met that has no name, so that no other is asked; and whether they have
   * #private fields.
   */
  readonly #classes = new Map<Function, boolean>()
  #encoder!: Encoder
  #annex!: Annex
  #value: unknown
  /** Something was written that can change: an instance, a bound function's arguments. */
  mutable = false
  /** The variable whose value is being written. */
  #via: Holder['via']

  constructor(options: CaptureOptions) {
    this.#options = options
    this.carried = options.carried
    this.finder = new Finder(options.owned, (fn) => this.#ownerOf(fn))
    this.#names = new Names(this.finder, options.receiver)
  }

  /** Writes the payload of `value` at writer.pos; on a throw writer.pos is as before. */
  run(value: unknown, writer: Writer): readonly Template[] {
    const start = writer.pos
    this.#value = value
    try {
      writer.reserve(16)
      writer.bytes[start] = form.captured
      const body = (writer.pos = start + 5)
      encode(new Root(value), writer, this)
      this.#refuseDoubles()
      this.#constructors()
      writer.bytes.writeUInt32LE(writer.pos - body, start + 1)
      const { groups, templates } = joinGroups(this.units, this.table)
      encode(this.table.prelude(groups, this.units.length), writer)
      return templates
    } catch (error) {
      writer.pos = start
      this.carried?.drop()
      throw error
    } finally {
      this.finder.close()
    }
  }

  // ── what the codec asks ──

  claims(value: object): boolean {
    return mayBeNamed(value) && (constructorOf(value) !== undefined || this.#isNamed(value))
  }

  encode(value: object | symbol, encoder: Encoder): void {
    if (typeof value === 'symbol') return this.#reference(this.table.symbol(value, this.#names), encoder)
    if (typeof value === 'function') return this.#function(value, encoder)
    if (value instanceof Root) return this.#writeRoot(value.value, encoder)
    if (value instanceof Ready) {
      encoder.writeUint(value.kind)
      this.#records()
      return encoder.writeUint(record.end)
    }
    if (value instanceof Named) return this.#reference(value.index, encoder)
    const type = value instanceof PrototypeOf ? value.type : constructorOf(value)
    if (type !== undefined) {
      encoder.writeUint(node.prototype)
      return encoder.write(type)
    }
    this.#object(value, encoder)
  }

  #object(value: object, encoder: Encoder): void {
    const prototype = Object.getPrototypeOf(value) as object | null
    const type = prototype === null ? undefined : constructorOf(prototype)
    const known = type === undefined ? undefined : this.#classes.get(type)
    if (known === undefined) {
      const index = this.table.refer(value, () => this.#names.ofObject(value))
      if (index !== undefined) return this.#reference(index, encoder)
    }
    this.mutable = true
    this.#owners.add(value)
    encoder.writeUint(type === undefined ? node.object : node.instance)
    encoder.write(type ?? prototype)
    encoder.writeNative(value)
    const classes = known === false ? [] : brandedClasses(value)
    if (type !== undefined && known === undefined) this.#classes.set(type, classes.length > 0)
    for (const secret of instanceFields(value, classes, this.finder, (one) => this.#restores(one)))
      if (secret.fields.length > 0) this.#secrets.push({ instance: value, via: this.#via, ...secret })
  }

  #reference(index: number, encoder: Encoder): void {
    encoder.writeUint(node.reference)
    encoder.writeUint(index)
  }

  #function(fn: Function, encoder: Encoder): void {
    const place = this.#placeOf(fn)
    if (place[0] !== 'bound') {
      encoder.writeUint(place[0] === 'unit' ? node.unit : node.reference)
      return encoder.writeUint(place[1])
    }
    const bound = this.finder.inspection?.bound(fn)
    if (bound === undefined) throw cannotSend('it is a native function not reachable by name')
    this.mutable = true
    this.#bound.push(bound.self, ...bound.args)
    encoder.writeUint(node.bound)
    encoder.write(bound.target)
    encoder.write(bound.self)
    encoder.writeUint(bound.args.length)
    for (const value of bound.args) encoder.write(value)
  }

  /** How a function is found on the other side. */
  #placeOf(fn: Function): readonly ['unit' | 'reference', number] | readonly ['bound'] {
    const known = this.#captured.get(fn)
    if (known !== undefined) return ['unit', known.index]
    const index =
      depsOf(fn) === undefined ? this.table.refer(fn, () => this.#names.ofFunction(fn)) : undefined
    if (index !== undefined) {
      this.#registrations.meetClass(fn)
      return ['reference', index]
    }
    if (isNative(Function.prototype.toString.call(fn))) return ['bound']
    const captured: Captured = {
      fn,
      index: this.units.length,
      place: undefined,
      via: this.#via,
      unit: undefined,
    }
    this.units.push(captured)
    this.#captured.set(fn, captured)
    this.#registrations.meetClass(fn)
    return ['unit', captured.index]
  }

  /**
   * Whether the receiver can put #private state on instances of this class: its copy has hooks, and a home
   * knows its own.
   */
  #restores(type: Function): boolean {
    const [kind, index] = this.#placeOf(type)
    return kind === 'unit' || (kind === 'reference' && this.table.isClass(index))
  }

  // ── the root and the records after it ──

  #writeRoot(value: unknown, encoder: Encoder): void {
    this.#encoder = encoder
    this.#annex = new Annex(encoder, this.table, this.finder, (value) => this.#early(value))
    encoder.writeUint(node.root)
    try {
      const index = typeof value === 'object' && value !== null ? this.#named({ value } as Cell) : undefined
      encoder.write(index === undefined ? value : new Named(index))
    } catch (error) {
      throw inRoot(error, this.#options.what)
    }
    this.#records()
    // Not before: what a reducer's functions lead to may hold the very instance that is being reduced.
    for (let one = this.#registrations.next(); one !== undefined; one = this.#registrations.next()) {
      this.#registered(one)
      this.#records()
    }
    encoder.writeUint(record.end)
  }

  /** All that has to be told about what was met so far, and about what is met on the way. */
  #records(): void {
    const via = this.#via
    while (this.#nextUnit < this.units.length || this.#nextSecret < this.#secrets.length) {
      if (this.#nextUnit < this.units.length) this.#unit(this.units[this.#nextUnit++] as Captured)
      else this.#secret(this.#secrets[this.#nextSecret++] as Secret)
    }
    this.#via = via
  }

  #registered(registered: Registered): void {
    const { type, reducer } = registered
    const inside = this.carried?.inside
    const why = refusalOf(registered, (value) => tryWalk(value, { what: 'its reducer', inside }))
    this.#encoder.writeUint(record.reducer)
    this.#encoder.write(type)
    this.#encoder.write(why ?? reducer.reduce)
    this.#encoder.write(why === undefined ? reducer.revive : null)
  }

  reduces(value: object): void {
    this.#registrations.meetInstance(value)
  }

  ready(): object | null {
    return this.#nextUnit < this.units.length || this.#nextSecret < this.#secrets.length ? new Ready() : null
  }

  #unit(captured: Captured): void {
    const { fn, index } = captured
    this.#via = captured.via
    try {
      const unit = (captured.unit = this.#lookInto(captured))
      if (unit.kind === 'class') this.#annex.addClass(unit, index)
      for (const cell of unit.cells.values()) this.#cell(cell, captured)
      this.#via = captured.via
      this.#annex.write(fn, unit, index, this.#homeOf(unit, captured))
    } catch (error) {
      throw addAdvice(aboutFunction(error, captured, this.#options.what), this.finder.advice(fn))
    }
  }

  #lookInto(captured: Captured): Unit {
    const deps = depsOf(captured.fn)
    const revived = originOf(captured.fn)
    if (revived === undefined) return this.finder.find(deps?.fn ?? captured.fn, captured, deps?.values)
    return this.table.adopt(revived, this.#options.owned)
  }

  #cell(cell: Cell, holder: Captured): void {
    if (this.#written.has(cell)) return
    this.#written.add(cell)
    const number = this.table.cell(cell)
    if (cell.owned !== undefined && !this.#isFirstValue(cell)) return
    if (cell.owned !== undefined) this.table.own(cell.owned, number)
    this.#via = { holder, name: cell.name }
    try {
      const named = this.#named(cell)
      if (named !== undefined) return this.table.setEarly(number, ['reference', named])
      this.#encoder.writeUint(record.cell)
      this.#encoder.writeUint(number)
      this.#encoder.write(cell.value)
    } catch (error) {
      throw inVariable(error, holder, cell.name)
    }
  }

  /** The reference that stands for a cell's value. The codec would take builtin modules for plain data. */
  #named({ value, reference }: Cell): number | undefined {
    if (reference !== undefined) {
      this.#registrations.meetImport(value)
      return this.table.add(reference)
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value) || !this.#isNamed(value))
      return undefined
    return this.table.refer(value, () => this.#names.ofObject(value))
  }

  #isNamed(value: object): boolean {
    return mayBeNamed(value) && this.#names.ofObject(value) !== undefined
  }

  /** Of an owned variable, the initializer takes the present value along, where it can travel. */
  #isFirstValue(cell: Cell): boolean {
    const initializer = this.#options.owned?.initializer
    if (initializer === undefined || !this.#captured.has(initializer) || cell.value === undefined)
      return false
    if (this.#options.owned?.isNeeded(cell.owned as string) === true) return true
    if (typeof cell.value !== 'object' && typeof cell.value !== 'function') return true
    try {
      tryWalk(cell.value, { what: '' })
      return true
    } catch {
      return false
    }
  }

  /** The object that a method's `super` starts from. */
  #homeOf({ value, text, analysis, home }: Unit, holder: Captured): object | undefined {
    if (home !== undefined || analysis.form === 'expression' || !/\bsuper\b/.test(text)) return home
    const found = this.#ownerOf(value)
    if (found !== undefined) return found
    throw cannotSend(
      `${subjectOf(holder)} uses \`super\`, and the object it belongs to is not sent with it`,
      'Send the object, and call its method',
    )
  }

  /** Whose own property a function is, among all that is captured so far. */
  #ownerOf(fn: Function): object | undefined {
    const values = this.units.flatMap(({ unit }) => (unit === undefined ? [] : [...unit.cells.values()]))
    return this.#owners.find(fn, [
      this.#value,
      ...this.#bound,
      ...this.units.map((captured) => captured.fn),
      ...values
        .filter(({ owned, reference }) => owned === undefined && reference === undefined)
        .map(({ value }) => value),
    ])
  }

  #secret({ instance, type, fields, via }: Secret): void {
    this.#via = via
    this.#encoder.writeUint(record.privates)
    this.#encoder.write(instance)
    this.#encoder.write(type)
    try {
      writeFields(fields, this.#encoder)
    } catch (error) {
      throw via === undefined ? inRoot(error, this.#options.what) : inVariable(error, via.holder, via.name)
    }
  }

  /** What classes need before the body is read. */
  #early(value: unknown): Early {
    if (typeof value === 'function') {
      const [kind, index] = this.#placeOf(value)
      if (kind === 'bound')
        throw cannotSend('it derives from a bound function', 'Derive from the function itself')
      return [kind, index]
    }
    if (typeof value === 'symbol') {
      const wellknown = Symbol.keyFor(value) !== undefined || isWellknownSymbol(value)
      return wellknown ? ['value', value] : ['reference', this.table.symbol(value, this.#names)]
    }
    if (typeof value === 'object' && value !== null)
      throw cannotSend('a computed key of a field needs it', 'Keep the key in a variable of its own')
    return ['value', value as string | number | bigint | boolean | null | undefined]
  }

  /** Functions that are classes of the old style, or reducers', have an identity, as classes have. */
  #constructors(): void {
    for (const { fn, index, unit } of this.units)
      if (unit?.kind === 'function' && this.#hasIdentity(fn, unit))
        this.table.classes.push({ unit: index, id: idOf(fn), parent: undefined, keys: [] })
  }

  #hasIdentity(fn: Function, unit: Unit): boolean {
    return this.#classes.has(fn) || this.#registrations.has(fn) || isConstructor(unit)
  }

  /** A variable of which the worker would have two, or may have. */
  #refuseDoubles(): void {
    const found = this.finder.book.double()
    if (found === undefined) return
    const { cell, fn, why, hint } = found
    const holder = this.units.find((one) =>
      fn === undefined ? one.unit?.cells.get(cell.name) === cell : one.fn === fn,
    )
    throw inVariable(cannotSend(why, hint), holder as Captured, cell.name)
  }
}

/** Throws what capturing in earnest would throw. */
function tryWalk(value: unknown, options: CaptureOptions): void {
  const carried = new Carried(true, options.inside)
  new Walk({ ...options, carried }).run(value, new Writer(256))
  carried.drop()
}
