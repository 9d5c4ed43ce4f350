/**
 * Words of a shell's command line: one made safe, many made a line, and a line taken apart, as in Python's
 * `shlex`. Pure text; nothing here runs anything.
 */
import { checkString, checkStrings } from '../core/options.ts'
import { checkWord } from './options.ts'

/**
 * `word` as a shell reads it back: unchanged where no character of it means anything to a shell, else in
 * single quotes. For POSIX shells; a NUL is a RangeError.
 *
 * @example
 * ```ts
 * import { quote } from 'plait/subprocess'
 *
 * quote('notes.txt') // => 'notes.txt'
 * quote('my notes; rm -rf ~') // => "'my notes; rm -rf ~'"
 * quote('') // => "''"
 * ```
 * @see Python `shlex.quote`
 */
export function quote(word: string): string {
  checkWord(word, 'the word')
  return /^[\w@%+=:,./-]+$/.test(word) ? word : inQuotes(word)
}

/** In single quotes, whatever it is; a single quote itself stands in double ones. */
export function inQuotes(word: string): string {
  return `'${word.replaceAll("'", `'"'"'`)}'`
}

/**
 * The words as one command line, each quoted where it must be. `split` is the way back.
 *
 * @example
 * ```ts
 * import { join } from 'plait/subprocess'
 *
 * join(['echo', '-n', 'two words']) // => "echo -n 'two words'"
 * ```
 * @see Python `shlex.join`
 */
export function join(words: readonly string[]): string {
  checkStrings(words ?? null, 'words')
  return Array.from(words, quote).join(' ')
}

/**
 * The words of a command line as a POSIX shell would see them, with quotes and backslashes taken away.
 * Nothing is expanded, and `#`, `;` or `|` are characters like others. A quote that is never closed, or a
 * backslash at the end, is a RangeError.
 *
 * @example
 * ```ts
 * import { split } from 'plait/subprocess'
 *
 * split(`cp -r 'my notes' "a \\"b\\"" c\\ d`) // => ['cp', '-r', 'my notes', 'a "b"', 'c d']
 * ```
 * @see Python `shlex.split`
 */
export function split(line: string): string[] {
  checkString(line ?? null, 'the line')
  const words: string[] = []
  // One piece after the other: blanks, '…', "…", a backslash and what it keeps, or plain characters.
  const piece = /([ \t\r\n]+)|'([^']*)'|"((?:[^"\\]|\\[^])*)"|\\([^])|([^ \t\r\n'"\\]+)/y
  let word: string | undefined
  while (piece.lastIndex < line.length) {
    const at = piece.lastIndex
    const [, blank, single, double, kept, plain] = piece.exec(line) ?? []
    if (blank !== undefined) {
      if (word !== undefined) words.push(word)
      word = undefined
      continue
    }
    // Between double quotes a backslash keeps a quote or a backslash; before others it is one itself.
    const part = single ?? double?.replaceAll(/\\(["\\])/g, '$1') ?? kept ?? plain
    if (part === undefined) {
      const what = line[at] === '\\' ? 'the backslash keeps nothing' : 'this quote is never closed'
      throw new RangeError(`the command line cannot be split at ${at}: ${what}`)
    }
    word = (word ?? '') + part
  }
  if (word !== undefined) words.push(word)
  return words
}
