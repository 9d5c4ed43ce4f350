/**
 * What opens the handles of this room where they arrive: importing it registers them. See core/bundle.
 */
export { Connection } from './connection.ts'
export { Queue } from './queue.ts'
