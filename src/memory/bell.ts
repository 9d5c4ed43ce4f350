/**
 * Doorbells: what wakes an event loop. Each participant whose loop waits has one pipe, read by a socket, and
 * opened for writing by whoever rings, under the owner's pid. It is rung only where the slot says that the
 * loop may sleep, so that under load nobody pays (B1). Where only threads share the memory the word itself is
 * slept on. One bell for everything a thread waits for: rings and granted waits.
 */
import { closeSync, constants, fstatSync, openSync, writeSync } from 'node:fs'
import { Socket, type SocketConstructorOpts } from 'node:net'
import { outside } from '../core/context.ts'
import { exchange, load, store, wake, whenWoken } from './atomics.ts'
import * as at from './layout.ts'
import { isKnown, me, slotAt, slotOf } from './participants.ts'
import { region } from './region.ts'

/** What to do when it rings: take in what is there. Each answers nothing and throws nothing. */
const listeners = new Set<() => void>()
let socket: Socket | undefined
let opened = false
let holds = 0
/** Keeps the loop alive where no socket does. */
let keeper: NodeJS.Timeout | undefined

/**
 * `fn` is called after each ring, and must look at everything it waits for; the caller looks once after this,
 * since nobody rang before (B2). Answers how to take it back.
 */
export function onRing(fn: () => void): () => void {
  if (!opened) open()
  listeners.add(fn)
  return () => listeners.delete(fn)
}

/** From now on the event loop stays alive for the bell, until as many `letGo`. */
export function keepAlive(): void {
  if (!opened) open()
  if (holds++ > 0) return
  if (socket !== undefined) socket.ref()
  else keeper = setInterval(() => {}, 2 ** 30)
}

export function letGo(): void {
  if (--holds > 0) return
  socket?.unref()
  clearInterval(keeper)
}

/** Wakes the event loop of a participant, where it may sleep. Whatever it shall find was stored before. */
export function ring(owner: number): void {
  const { words, system } = region()
  const asleep = slotAt(slotOf(owner)) + at.S_ASLEEP
  // The exchange makes one of many ringers the one that pays. The owner stores 1 and looks again (B1).
  if (load(words, asleep) === 0 || exchange(words, asleep, 0) === 0) return
  if (system === null) return wake(words, asleep, 1)
  const fd = descriptorOf(owner)
  if (fd === undefined) return
  try {
    writeSync(fd, oneByte)
  } catch {
    // EAGAIN: it was rung a thousand times and has not looked. EPIPE: it has ended.
  }
}

const oneByte = Buffer.from([1])

function open(): void {
  opened = true
  const { words, system } = region()
  const first = slotAt(slotOf(me()))
  if (system !== null) {
    const fd = system.bell()
    // One buffer for all rings; Node's types know `onread` for connections only.
    const onread = { buffer: Buffer.allocUnsafeSlow(512), callback: () => (rung(), true) }
    const options: SocketConstructorOpts = { fd, readable: true, writable: false }
    socket = outside(() => new Socket(Object.assign(options, { onread })))
    socket.on('error', () => {})
    socket.unref()
    store(words, first + at.S_INODE, inodeOf(fd))
    store(words, first + at.S_BELL, fd + 1)
    // Last: who sees it finds the bell. What was stored before this rang nobody: see `onRing`.
    store(words, first + at.S_ASLEEP, 1)
  } else sleep()
}

function sleep(): void {
  const { words } = region()
  const asleep = slotAt(slotOf(me())) + at.S_ASLEEP
  store(words, asleep, 1)
  outside(() =>
    whenWoken(words, asleep, 1, () => {
      sleep()
      tellAll()
    }),
  )
}

function rung(): void {
  // Awake is not said: a bell that rings while this looks costs one more look, and loses nothing. The store
  // comes before the look: what is stored after the look finds a 1 and rings.
  store(region().words, slotAt(slotOf(me())) + at.S_ASLEEP, 1)
  tellAll()
}

function tellAll(): void {
  for (const fn of listeners) fn()
}

// ── ringing others ──

/** Writing ends of others' bells, by slot. */
const bells = new Map<number, { owner: number; fd: number }>()

function descriptorOf(owner: number): number | undefined {
  const slot = slotOf(owner)
  const known = bells.get(slot)
  if (known?.owner === owner) return known.fd
  forgetBell(slot)
  const { words, system } = region()
  const first = slotAt(slot)
  const bell = load(words, first + at.S_BELL)
  if (bell === 0) return undefined
  let fd: number
  try {
    fd = openSync(
      system!.descriptorPath(load(words, first + at.S_PID), bell - 1),
      constants.O_WRONLY | constants.O_NONBLOCK,
    )
  } catch {
    return undefined // it has ended
  }
  // Not a pipe of somebody who got its pid, or a file that got the descriptor of a thread that ended.
  if (inodeOf(fd) !== load(words, first + at.S_INODE) || !isKnown(owner)) {
    closeSync(fd)
    return undefined
  }
  bells.set(slot, { owner, fd })
  return fd
}

/** A thread of this process has ended, before it is buried: the end of its bell that nobody closed. */
export function closeBell(owner: number): void {
  const { words } = region()
  const first = slotAt(slotOf(owner))
  const bell = exchange(words, first + at.S_BELL, 0)
  try {
    if (bell !== 0 && inodeOf(bell - 1) === load(words, first + at.S_INODE)) closeSync(bell - 1)
  } catch {
    // It was closed after all.
  }
}

/** The participant has ended. */
export function forgetBell(slot: number): void {
  const known = bells.get(slot)
  if (known === undefined) return
  bells.delete(slot)
  closeSync(known.fd)
}

function inodeOf(fd: number): number {
  return fstatSync(fd).ino | 0
}
