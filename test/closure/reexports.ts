/** A module that defines nothing itself, for send-namespaces.test.ts. */
export { Remote } from './remote.ts'
