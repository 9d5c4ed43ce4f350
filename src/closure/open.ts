/**
 * What other rooms load of the sending half when they first need it, and not before: see core/bundle.
 */
export { capture, captureInto } from './capture.ts'
