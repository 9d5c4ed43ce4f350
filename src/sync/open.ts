/**
 * All that the room offers, and what a handle that arrives is opened with: importing this file registers each
 * class with the codec. Re-exports only.
 */
export { SharedArray } from './array.ts'
export { Barrier } from './barrier.ts'
export { Condition } from './condition.ts'
export { Event } from './event.ts'
export { Lock } from './lock.ts'
export type { Guard } from './lockable.ts'
export type { BigType, NumberType, TypedArrays } from './numbers.ts'
export { RLock } from './rlock.ts'
export { BoundedSemaphore, Semaphore } from './semaphore.ts'
export { SharedMemory } from './shared-memory.ts'
export { SharedValue } from './value.ts'
