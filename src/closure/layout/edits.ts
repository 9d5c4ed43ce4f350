/**
 * Edits of a text, and where its pieces stand afterwards. Called by layout and classes while a template is
 * made; knows nothing of JavaScript.
 */
import type { Edit } from '../unit.ts'

/** A stretch of the original text that stands unchanged in the edited one. */
export interface Piece {
  readonly from: number
  readonly to: number
  readonly length: number
}

/** What became of a text. */
export interface Edited {
  readonly text: string
  readonly pieces: readonly Piece[]
}

/** Applies edits that do not overlap; those at one offset keep their order. */
export function applyEdits(text: string, edits: readonly Edit[]): Edited {
  const pieces: Piece[] = []
  let out = ''
  let at = 0
  const keep = (end: number): void => {
    if (end > at) pieces.push({ from: at, to: out.length, length: end - at })
    out += text.slice(at, end)
  }
  for (const edit of inOrder(edits)) {
    keep(edit.start)
    out += edit.text
    at = edit.end
  }
  keep(text.length)
  return { text: out, pieces }
}

/** Array.prototype.sort is stable, so equal offsets keep their order. */
function inOrder(edits: readonly Edit[]): readonly Edit[] {
  return edits.length < 2 ? edits : [...edits].sort((a, b) => a.start - b.start || a.end - b.end)
}

const visible = /[^\n\r\u2028\u2029]/g

/** The same text with nothing but its line breaks, so that what follows stays where it was. */
export function blank(text: string): string {
  return text.replace(visible, ' ')
}

/** `text` in the room of what it replaces: padded to the same end where it is the shorter one. */
export function fit(text: string, replaced: string): string {
  return text.length >= replaced.length
    ? text + lineBreaks(replaced)
    : text + blank(replaced.slice(text.length))
}

function lineBreaks(text: string): string {
  return text.replace(visible, '')
}
