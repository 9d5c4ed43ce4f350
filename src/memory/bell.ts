/**
 * Doorbells: what wakes an event loop. Each participant whose loop waits has one pipe, read by a socket, and
 * opened for writing by whoever rings, under the owner's pid. It is rung only where the slot says that the
 * loop may sleep, so that under load nobody pays (B1). Where only threads share the memory the word itself is
 * slept on. One bell for everything a thread waits for: rings and granted waits.
 */
import { closeSync, constants, fstatSync, openSync, writeSync } from 'node:fs'
import { Socket, type SocketConstructorOpts } from 'node:net'
import { outside } from '../core/context.ts'
import { undisturbed } from '../core/undisturbed.ts'
import { exchange, load, store, wake, whenWoken } from './atomics.ts'
import * as at from './layout.ts'
import { isKnown, me, slotAt, slotOf } from './participants.ts'
import { region } from './region.ts'

/** What to do when it rings: take in what is there. None throws. */
const listeners = new Set<() => unknown>()
/** Milliseconds between two looks whether a ring was lost: rarely, since each one wakes an idle process. */
const slice = 1000
let socket: Socket | undefined
let opened = false
let holds = 0
/** Keeps the loop alive where no socket does. */
let keeper: NodeJS.Timeout | undefined
/** The next look, where there has just been something. */
let awake: NodeJS.Immediate | undefined
/** Whatever a program puts in its place later. */
const soon = setImmediate
/** A word is slept on: where no socket is. */
let listening = false
/**
 * It looks for a while before it sleeps: who was woken within that time is spared the next waking, which
 * costs as much. Where that was in vain again and again it is tried ever more rarely: so a machine without a
 * free core, and one that waits for something long, feel nothing of it.
 */
let eager = false
/** Milliseconds. */
const eagerness = 0.05
let lastFound = 0
let asleepSince = 0
/** Times in a row that it was in vain, and wakings for which it is not tried. */
let misses = 0
let pauses = 0
/** As a power of two. */
const mostPauses = 8

/** Opens the bell of this thread, which else the first to wait for it does. */
export function openBell(): void {
  if (!opened) open()
}

/**
 * `fn` is called after each ring, and must look at everything it waits for; the caller looks once after this,
 * since nobody rang before (B2). Where it answers true there was something, and it is called again in the
 * next turn of the loop. Answers how to take it back.
 */
export function onRing(fn: () => unknown): () => void {
  openBell()
  listeners.add(fn)
  return () => listeners.delete(fn)
}

/** From now on the event loop stays alive for the bell, until as many `letGo`. */
export function keepAlive(): void {
  openBell()
  if (holds++ > 0) return
  if (socket !== undefined) socket.ref()
  else keeper = setInterval(() => {}, 2 ** 30)
}

export function letGo(): void {
  if (--holds > 0) return
  socket?.unref()
  clearInterval(keeper)
}

/**
 * Wakes the event loop of a participant, where it may sleep. Whatever it shall find was stored before. False
 * where its bell cannot be reached, be it that it has ended: it sleeps on.
 */
export function ring(owner: number): boolean {
  // Its slot may be another's by now, who must not lose a ring by this.
  if (!isKnown(owner)) return false
  const { words, system } = region()
  const asleep = slotAt(slotOf(owner)) + at.S_ASLEEP
  // The exchange makes one of many ringers the one that pays. The owner stores 1 and looks again (B1).
  if (load(words, asleep) === 0 || exchange(words, asleep, 0) === 0) return true
  if (system === null) {
    wake(words, asleep, 1)
    return true
  }
  const fd = descriptorOf(owner)
  if (fd === undefined) {
    store(words, asleep, 1) // whoever has the slot: one ring too many is harmless
    return false
  }
  try {
    writeSync(fd, oneByte)
  } catch {
    // EAGAIN: it was rung a thousand times and has not looked. EPIPE: it has ended.
  }
  return true
}

const oneByte = Buffer.from([1])

function open(): void {
  const { words, system } = region()
  const first = slotAt(slotOf(me()))
  if (system !== null) {
    const fd = undisturbed(() => {
      const made = system.bell()
      // Before the socket: a thread that is ended in between leaves what its burial can close (B3).
      store(words, first + at.S_INODE, inodeOf(made))
      store(words, first + at.S_BELL, made + 1)
      return made
    })
    // One buffer for all rings; Node's types know `onread` for connections only.
    const onread = { buffer: Buffer.allocUnsafeSlow(512), callback: () => (rung(), true) }
    const options: SocketConstructorOpts = { fd, readable: true, writable: false }
    socket = outside(() => new Socket(Object.assign(options, { onread })))
    socket.on('error', () => {})
    socket.unref()
  }
  opened = true
  outside(() => setInterval(watch, slice)).unref()
  // Last: who sees it finds the bell. What was stored before this rang nobody: see `onRing`.
  sleep()
}

/**
 * A ringer may die, or be stopped, between its exchange and its ring: then this one is taken for awake and
 * sleeps (B4). Who was said to be awake at two of these moments and did nothing meanwhile looks by itself.
 */
function watch(): void {
  const asleep = slotAt(slotOf(me())) + at.S_ASLEEP
  const heard = asleepSince
  if (load(region().words, asleep) === 0 && awake === undefined) {
    if (doubted === heard) rung()
    doubted = heard
  } else doubted = -1
}

let doubted = -1

/** From here on it is rung; the caller looks once more (B1). */
function sleep(): void {
  const { words, system } = region()
  const asleep = slotAt(slotOf(me())) + at.S_ASLEEP
  asleepSince = performance.now()
  store(words, asleep, 1)
  if (system !== null || listening) return
  listening = true
  outside(() =>
    whenWoken(words, asleep, 1, () => {
      listening = false
      rung()
    }),
  )
}

function rung(): void {
  if (awake !== undefined) return
  // Had it looked a little longer it need not have been woken.
  if (pauses > 0) pauses--
  else eager = performance.now() - asleepSince < eagerness
  look()
}

/**
 * Where there was something, this thread looks again in the next turn of its loop, awake: on a core that it
 * shares with the other, the answer to what it does in between is there by then, and costs no bell. It falls
 * asleep when a look has found nothing, and looks once more (B1). One that is eager looks in each turn until
 * nothing has come for a while.
 */
function look(): void {
  const turn = awake !== undefined
  awake = undefined
  let stays = true
  try {
    const found = tellAll()
    if (found && !eager) return
    if (eager) {
      const now = performance.now()
      if (found && turn) misses = 0
      if (found) lastFound = now
      if (now - lastFound < eagerness) return
      // In vain: the other has no core of its own now, or has other things to do.
      eager = false
      pauses = 2 ** Math.min(++misses, mostPauses)
    }
    sleep()
    stays = false
    stays = tellAll()
  } finally {
    // Also where a listener threw: nobody rings who is awake.
    if (stays) awake = soon(look)
  }
}

function tellAll(): boolean {
  let found = false
  for (const fn of listeners) if (fn() === true) found = true
  return found
}

// ── ringing others ──

/** Writing ends of others' bells, by slot. */
const bells = new Map<number, { owner: number; fd: number }>()

function descriptorOf(owner: number): number | undefined {
  const slot = slotOf(owner)
  const known = bells.get(slot)
  if (known?.owner === owner) return known.fd
  forget(slot)
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

function forget(slot: number): void {
  const known = bells.get(slot)
  if (known === undefined) return
  bells.delete(slot)
  closeSync(known.fd)
}

/** The participant has ended, and its slot is not yet another's. */
export function forgetBell(slot: number): void {
  forget(slot)
  const { words, system } = region()
  const first = slotAt(slot)
  const bell = load(words, first + at.S_BELL)
  if (system === null || bell === 0 || load(words, first + at.S_PID) !== process.pid) return
  // A thread of this process. As a rule its handles have closed it, and the number may be another's.
  try {
    if (inodeOf(bell - 1) === load(words, first + at.S_INODE)) system.close(bell - 1)
  } catch {
    // there is no such descriptor any more
  }
}

function inodeOf(fd: number): number {
  return fstatSync(fd).ino | 0
}
