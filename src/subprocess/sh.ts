/**
 * The `sh` template: a command line for a shell in which every value is one word, whatever is in it. Where
 * quotes would not make it one word (within quotes, comments, here-documents …), a value is refused. It reads
 * the template as a POSIX shell would; it runs nothing.
 */
import { inspect } from 'node:util'
import { checkWord } from './options.ts'
import { inQuotes, quote } from './words.ts'

/**
 * A command line for `shell: true`, in which every `${value}` is exactly one word, and an array as many words
 * as it has items. Values are strings, numbers, or objects that have a text of their own, such as a URL.
 *
 * A value stands where a word may stand, or a part of one: not between quotes of yours, in a comment, in
 * backquotes, in `$((…))` or after `<<`, where a shell would read it in other ways. There, and for undefined
 * and NUL characters, it is an error. What a command makes of its words (`eval`, `let`, `[[ … -eq … ]]`) is
 * out of its hands.
 *
 * @example
 * ```ts
 * import { checkOutput, sh } from 'plait/subprocess'
 *
 * const name = `it's; rm -rf "$HOME"`
 * sh`echo ${name} | wc -l` // => `echo 'it'"'"'s; rm -rf "$HOME"' | wc -l`
 * sh`git add -- ${['a b.txt', 'c.txt']}` // => `git add -- 'a b.txt' c.txt`
 *
 * await checkOutput(sh`echo ${name} | cat`, { shell: true, encoding: 'utf8' }) // => name + '\n'
 * ```
 */
export function sh(parts: TemplateStringsArray, ...values: unknown[]): string {
  const reader = new Reader()
  let line = ''
  for (const [i, part] of parts.entries()) {
    checkWord(part, `part ${i} of the template`)
    reader.read(part)
    line += part
    if (i >= values.length) continue
    const where = reader.refuses
    if (where !== undefined)
      throw new TypeError(`value ${i} stands ${where}: a shell would not read it as one word there`)
    const words = spelled(values[i], `value ${i}`, parts[i + 1] ?? '')
    line += words
    if (words !== '') reader.wordGoesOn()
  }
  return line
}

/** Several values are several words. */
function spelled(value: unknown, what: string, next: string): string {
  if (!Array.isArray(value)) return wordOf(textOf(value, what), next)
  return value.map((item, i) => wordOf(textOf(item, `${what}, item ${i}`), next)).join(' ')
}

/**
 * In quotes too what is harmless as an argument, but not as the first word of a command (an assignment, a
 * reserved word), or before an arrow (a descriptor).
 */
function wordOf(text: string, next: string): string {
  const special =
    /^(?:\w+\+?=|(?:case|do|done|elif|else|esac|fi|for|function|if|in|select|then|time|until|while)$)/
  return special.test(text) || /^[<>]/.test(next) ? inQuotes(text) : quote(text)
}

function textOf(value: unknown, what: string): string {
  const own =
    typeof value === 'object' && value !== null
      ? !Array.isArray(value) && value.toString !== Object.prototype.toString
      : ['string', 'number', 'bigint', 'boolean'].includes(typeof value)
  if (!own)
    throw new TypeError(`${what} must be a string, a number or an array of them, got ${inspect(value)}`)
  const text = String(value)
  checkWord(text, what)
  return text
}

/** What the shell is in the middle of. */
type Place =
  | 'code'
  | 'substitution'
  | 'subshell'
  | 'braces'
  | 'double'
  | 'single'
  | 'backquotes'
  | 'arithmetic'

/** A shell's reader, as far as it takes to know where a value stands. */
class Reader {
  readonly #within: Place[] = ['code']
  #comment = false
  /** Behind what shells read in different ways, or this reader does not follow. */
  #lost: string | undefined
  /** The last character was a blank or an operator: a word begins. */
  #fresh = true
  /** A backslash at the end of a part would take the value's quote. */
  #escaped = false
  /** Before a quote, or before a name, a dollar is more than itself. */
  #dollar = false

  /** Why no value may stand here. */
  get refuses(): string | undefined {
    const within = this.#within
    if (this.#escaped) return 'after a backslash'
    if (this.#dollar) return 'after a $'
    if (this.#comment) return 'in a comment'
    if (this.#lost !== undefined) return this.#lost
    if (within.includes('backquotes')) return 'in backquotes (take $(…) instead)'
    if (within.includes('arithmetic'))
      return 'in ((…)), or in what may be that (a blank between the brackets tells)'
    const [place, outer] = within.toReversed()
    const quoted = place === 'single' || place === 'double' || (place === 'braces' && outer === 'double')
    return quoted ? 'between quotes of the template (leave them out)' : undefined
  }

  wordGoesOn(): void {
    this.#fresh = false
    this.#dollar = false
  }

  read(part: string): void {
    for (let i = 0; i < part.length;) i += this.#step(part.slice(i, i + 5))
  }

  /** Takes what begins with `text`; answers how many characters that was. */
  #step(text: string): number {
    const [char = ''] = text
    const place = this.#within.at(-1)
    this.#dollar = char === '$' && !this.#escaped && place !== 'single'
    if (this.#escaped) return this.#keep(char)
    if (this.#comment) return this.#pass(() => (this.#comment = !(this.#fresh = char === '\n')))
    if (place === 'single') return this.#close("'", char)
    const fresh = this.#fresh
    this.#fresh = false
    if (char === '\\') return this.#pass(() => ((this.#escaped = true), (this.#fresh = fresh)))
    if (char === '`') return place === 'backquotes' ? this.#close('`', char) : this.#open('backquotes', 1)
    if (text.startsWith('$((')) return this.#openArithmetic(3)
    if (text.startsWith('$(')) return this.#open('substitution', 2)
    if (text.startsWith('${')) return this.#open('braces', 2)
    if (char === '"') return place === 'double' ? this.#close('"', char) : this.#open('double', 1)
    return place === 'double' ? 1 : this.#stepOutside(text, char, place, fresh)
  }

  /** Outside of quotes. */
  #stepOutside(text: string, char: string, place: Place | undefined, fresh: boolean): number {
    if (/^\$['[]/.test(text)) this.#lost ??= "behind $' or $[, which shells read in different ways"
    if (char === "'") {
      if (place === 'braces' && this.#within.includes('double'))
        this.#lost ??= 'behind a quote in "${…}", which shells read in different ways'
      return this.#open('single', 1)
    }
    if (place === 'braces') return this.#close('}', char)
    if (place === 'arithmetic') {
      this.#fresh = char === ')'
      return char === '(' ? this.#open(place, 1) : this.#close(')', char)
    }
    if (text.startsWith('((')) return this.#openArithmetic(2)
    if (char === '#' && fresh) return this.#pass(() => (this.#comment = true))
    if (text.startsWith('=(')) this.#lost ??= 'behind =(, an array in some shells'
    if (text.startsWith('<<')) this.#lost ??= 'behind <<, in what may be a here-document (take input instead)'
    if (fresh && /^case\s/.test(text) && this.#within.length > 1) this.#lost ??= 'behind a case in $(…)'
    this.#fresh = /[\s;&|()<>]/.test(char)
    if (char === '(') return this.#open('subshell', 1)
    // A `)` with nothing open ends a pattern of `case`.
    if (char === ')' && place !== 'code' && place !== 'backquotes') this.#within.pop()
    return 1
  }

  #pass(then: () => void): number {
    then()
    return 1
  }

  /** What a backslash keeps; a line end that it takes away is as if it were not there. */
  #keep(char: string): number {
    this.#escaped = false
    if (char !== '\n') this.#fresh = false
    return 1
  }

  /** One for each bracket. */
  #openArithmetic(length: number): number {
    this.#within.push('arithmetic', 'arithmetic')
    return length
  }

  #open(place: Place, length: number): number {
    this.#within.push(place)
    this.#fresh = place === 'substitution' || place === 'subshell' || place === 'backquotes'
    return length
  }

  #close(end: string, char: string): number {
    if (char === end) this.#within.pop()
    return 1
  }
}
