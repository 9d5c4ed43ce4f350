/**
 * The task of the benchmarks as a worker file of the rivals: they need one. Loaded by their workers.
 */
export default (x) => x * x
