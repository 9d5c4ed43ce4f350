/**
 * What the benchmarks run, as a file: the rivals need one. Their workers load it, and so does
 * workerpool-jobs.mjs; plait's side of the benchmarks writes the same functions in place.
 */
export const square = (x) => x * x
export default square

/** A chunk of a map, for those that have no map. */
export const squares = (items) => items.map(square)
export const turn = ({ id, ok }) => ({ id, ok: !ok })
export const turns = (items) => items.map(turn)
