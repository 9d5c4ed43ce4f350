/** Hands on what the library of these tests exports. Imported by them; not a test itself. */
// oxlint-disable import/no-cycle -- what is tested
export * from './cycle-library.ts'
export { count as counted } from './cycle-library.ts'
