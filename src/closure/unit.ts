/**
 * The words between the two halves of this room's sending side: what capture learned about one function or
 * class (a Unit), and what layout makes of those that belong together (a Template). Types only.
 */

/** One script as V8 knows it. */
export interface Script {
  /** V8's scriptId, or for a script that was revived, the id of the template it came in. */
  readonly id: string
  /** What stacks show: a file URL, or whatever name the script has. */
  readonly url: string
  readonly kind: 'module' | 'commonjs' | 'other'
  /** Functions without a directive of their own are strict in it. */
  readonly strict: boolean
  /** As V8 reported it, data: URLs included; undefined where it has none. */
  readonly sourceMapURL: string | undefined
}

/** One place in a unit's text where a free name stands; offsets into `Unit.text`. */
export interface NameUse {
  readonly start: number
  readonly end: number
  /**
   * How a replacement has to be written there: `plain` as it is; `callee` so that it is not a method call;
   * `shorthand` as `name: replacement` (object literals and patterns alike).
   */
  readonly role: 'plain' | 'callee' | 'shorthand'
}

/** One name that a text uses and does not bind. */
export interface FreeName {
  readonly name: string
  readonly uses: readonly NameUse[]
  /** Some use writes to it. */
  readonly assigned: boolean
  /** Every use is the operand of typeof, so that an absent name is no error. */
  readonly onlyTypeof: boolean
}

/** A replacement in a unit's text. Edits never overlap; edits at one offset keep their order. */
export interface Edit {
  readonly start: number
  readonly end: number
  readonly text: string
}

/** What the text alone tells; cached by text. */
export interface Analysis {
  readonly form: 'expression' | 'method' | 'static' | 'class'
  readonly kind: 'function' | 'class'
  /** The parsed node: of the function (the value of a method definition) or class. */
  readonly node: import('acorn').Function | import('acorn').Class
  /**
   * Of a method: the property or method definition around `node`. Its computed key was not analysed: replace
   * it.
   */
  readonly member: import('acorn').Property | import('acorn').MethodDefinition | undefined
  /** Offset that turns the node's positions into offsets of the text. */
  readonly shift: number
  /**
   * Of a class, names that stand only in its heritage, computed keys, static fields or static blocks are not
   * here: those parts never run in a worker. The outer `this` of an arrow is here as a name like any other.
   */
  readonly free: ReadonlyMap<string, FreeName>
  /**
   * Names in the computed keys of a class's members (static fields excepted). Capture finds most keys by
   * looking at the class; only for those that it cannot tell (ClassEntry.keys) are the names captured, as
   * early cells.
   */
  readonly keyNames: ReadonlyMap<string, FreeName>
  /**
   * Uses of the function's own name inside its text, which the text binds as a named function expression
   * does. Where `Unit.cells` has that name nevertheless, it is a variable of the outside: the text's own name
   * is dropped.
   */
  readonly self: FreeName | undefined
  /** Positions of `import.meta` and of the `import` keyword of dynamic imports. */
  readonly metas: readonly { readonly start: number; readonly end: number }[]
  readonly imports: readonly { readonly start: number; readonly end: number }[]
  /**
   * Outer things that only an arrow (or a direct eval) can reach; each is an error or needs an answer of its
   * own.
   */
  readonly outer: {
    readonly this: boolean
    readonly arguments: boolean
    readonly super: boolean
    readonly newTarget: boolean
    readonly directEval: boolean
    readonly with: boolean
    /** #names used without a class around them in this text. */
    readonly privateNames: readonly string[]
  }
  /** A 'use strict' directive, or a class. */
  readonly strict: boolean
}

/** One captured variable, as capture found it. Identity of the object is identity of the variable. */
export interface Cell {
  readonly name: string
  /** Some unit of the payload writes to it. */
  assigned: boolean
  /** Set for a variable of the pool's initializer: the key under which the worker keeps its own. */
  readonly owned: string | undefined
  /** The value at the moment of capture; not read where owned, and undefined for an import not ready yet. */
  readonly value: unknown
  /**
   * A class uses it, and some function of its script may assign to it: it stands in a box, so that the copy
   * of the class, which is made once, can share it with functions that arrive later.
   */
  boxed?: boolean
  /** Of an import that travels by value: the scope and name of the variable that it means. */
  readonly declared?: { readonly key: string; readonly name: string } | undefined
  /** Anyone may change it: a global that the program added. */
  readonly volatile?: boolean
  /**
   * Of an import, and of a revived variable: the reference its present value came by, so that it may leave by
   * the same.
   */
  readonly reference?: import('./wire.ts').Reference | undefined
}

/** One function or class that travels by value. */
export interface Unit {
  readonly value: Function
  readonly kind: 'function' | 'class'
  readonly text: string
  readonly analysis: Analysis
  readonly script: Script
  /** Where the text begins in its script: both from 0. */
  readonly line: number
  readonly column: number
  /**
   * For each free name that is captured: its cell. A name that is not here is left alone (a global, or absent
   * in the caller too).
   */
  readonly cells: ReadonlyMap<string, Cell>
  /** The home object, where the text is a method that uses super. */
  readonly home: object | undefined
}

/** The code of one group, ready to send. */
export interface Template {
  /** A hash of the content. */
  readonly id: string
  readonly bytes: Buffer
}
