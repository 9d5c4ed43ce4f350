/**
 * A text under construction that knows which line and column of a script its end stands for, so that pieces
 * of that script can be put where they stood. Used by layout alone.
 */

const lineBreak = /\r\n?|[\n\u2028\u2029]/g

/** Beyond this, room is not padded: positions there are true only through a source map. */
const mostPadding = 200_000

/** One factory text, from its first character on. */
export class Page {
  text = ''
  /** Where the end is, in the script's coordinates. */
  line: number
  column: number

  /** The first character stands for this place; the column may be negative. */
  constructor(line: number, column: number) {
    this.line = line
    this.column = column
  }

  append(text: string): void {
    this.text += text
    const breaks = [...text.matchAll(lineBreak)]
    const last = breaks.at(-1)
    if (last === undefined) this.column += text.length
    else {
      this.line += breaks.length
      this.column = text.length - last.index - last[0].length
    }
  }

  /** Whether a place still lies ahead when `length` more characters are written, and not too far. */
  reaches(line: number, column: number, length: number): boolean {
    if (line === this.line) return column >= this.column + length && column - this.column < mostPadding
    return line > this.line && line - this.line + column < mostPadding
  }

  /** Pads up to a place that lies ahead; where it does not, goes to its column on a new line. */
  moveTo(line: number, column: number): void {
    if (line === this.line && column >= this.column) this.append(' '.repeat(column - this.column))
    else this.append('\n'.repeat(Math.max(1, line - this.line)) + ' '.repeat(Math.min(column, mostPadding)))
  }
}

/** Offsets at which the lines of a text begin. */
export function lineStarts(text: string): number[] {
  const starts = [0]
  for (const found of text.matchAll(lineBreak)) starts.push(found.index + found[0].length)
  return starts
}
