/**
 * Channel: order, capacity, meeting, closing, and waits that end early. Random programs are compared with a
 * plain model.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { ClosedError, TimeoutError } from 'plait'
import { Channel, ManualClock, Scheduler, TaskGroup, timeout } from 'plait/coroutine'
import { checkLeaks } from '../leaks.js'
import { turn } from './kit.js'

checkLeaks()

/** What a promise is, once everything that can happen has. */
async function stateOf(promise: Promise<unknown>): Promise<string> {
  let state = 'pending'
  promise.then(
    (value) => (state = `value ${String(value)}`),
    (error: Error) => (state = error.name),
  )
  await turn()
  return state
}

describe('a channel', () => {
  it('hands on in order, each value to one receiver', async () => {
    for (const capacity of [0, 1, 3, Infinity]) {
      const channel = new Channel<number>(capacity)
      const got: number[][] = [[], [], []]
      await TaskGroup.run((group) => {
        for (const mine of got)
          void group.spawn(async () => {
            for await (const value of channel) mine.push(value)
          })
        void group.spawn(async () => {
          for (let n = 0; n < 100; n++) await channel.send(n)
          channel.close()
        })
      })
      assert.deepEqual(
        got.flat().toSorted((a, b) => a - b),
        Array.from({ length: 100 }, (_, n) => n),
      )
      for (const mine of got)
        assert.deepEqual(
          mine,
          mine.toSorted((a, b) => a - b),
        )
    }
  })

  it('without capacity: a sender waits until its value is received', async () => {
    const channel = new Channel<string>()
    const sent = channel.send('a')
    assert.equal(await stateOf(sent), 'pending')
    assert.equal(await channel.receive(), 'a')
    assert.equal(await stateOf(sent), 'value undefined')
    const received = channel.receive()
    assert.equal(await stateOf(received), 'pending')
    assert.equal(await stateOf(channel.send('b')), 'value undefined')
    assert.equal(await received, 'b')
  })

  it('with capacity: so many need no receiver, the next one waits', async () => {
    const channel = new Channel<number>(2)
    await channel.send(1)
    await channel.send(2)
    const third = channel.send(3)
    assert.equal(await stateOf(third), 'pending')
    assert.equal(await channel.receive(), 1)
    assert.equal(await stateOf(third), 'value undefined')
    assert.deepEqual([await channel.receive(), await channel.receive()], [2, 3])
  })

  it('serves those who wait first come, first served', async () => {
    const channel = new Channel<number>()
    const receivers = [channel.receive(), channel.receive()]
    const senders = [channel.send(1), channel.send(2), channel.send(3), channel.send(4)]
    assert.deepEqual(await Promise.all(receivers), [1, 2])
    assert.deepEqual([await channel.receive(), await channel.receive()], [3, 4])
    await Promise.all(senders)
  })

  it('takes undefined and other values as they are', async () => {
    for (const capacity of [0, 2]) {
      const channel = new Channel<unknown>(capacity)
      const promise = Promise.resolve(5)
      const sent = [channel.send(undefined), channel.send([promise])]
      assert.equal(await channel.receive(), undefined)
      assert.deepEqual(await channel.receive(), [promise])
      await Promise.all(sent)
    }
  })

  it('refuses a capacity that is none', () => {
    for (const capacity of [-1, 1.5, NaN]) assert.throws(() => new Channel(capacity), RangeError)
    assert.throws(() => new Channel('1' as never), TypeError)
  })
})

describe('close()', () => {
  it('lets what was sent be received, and then throws', async () => {
    const channel = new Channel<number>(2)
    await channel.send(1)
    await channel.send(2)
    assert.equal(channel.closed, false)
    channel.close()
    channel.close()
    assert.equal(channel.closed, true)
    await assert.rejects(channel.send(3), (error) => error instanceof ClosedError)
    assert.deepEqual([await channel.receive(), await channel.receive()], [1, 2])
    await assert.rejects(channel.receive(), (error) => error instanceof ClosedError)
  })

  it('tells those who wait', async () => {
    const full = new Channel<number>()
    const empty = new Channel<number>()
    const waits = [full.send(1), full.send(2), empty.receive(), empty.receive()]
    full.close()
    empty.close()
    for (const wait of waits) await assert.rejects(wait, ClosedError)
    await assert.rejects(full.receive(), ClosedError, 'what was not received is not sent')
  })

  it('ends a loop, once it is drained; leaving a loop closes nothing', async () => {
    const channel = new Channel<number>(5)
    for (const n of [1, 2, 3]) await channel.send(n)
    for await (const n of channel) if (n === 1) break
    assert.equal(channel.closed, false)
    const rest: number[] = []
    const loop = (async () => {
      for await (const n of channel) rest.push(n)
    })()
    await turn()
    channel.close()
    await loop
    assert.deepEqual(rest, [2, 3])
  })
})

describe('a wait that ends early', () => {
  it('by its timeout, and has changed nothing', async () => {
    const clock = new ManualClock()
    await clock.run(async () => {
      const channel = new Channel<string>(1)
      const received = channel.receive({ timeout: 10 })
      received.catch(() => {})
      await clock.advance(9)
      assert.equal(await stateOf(received), 'pending')
      await clock.advance(1)
      await assert.rejects(received, (error: Error) => {
        assert.ok(error instanceof TimeoutError)
        assert.equal(error.message, 'nothing was sent within 10 ms')
        return true
      })
      await channel.send('a')
      const sent = assert.rejects(channel.send('b', { timeout: 10 }), /no receiver came within 10 ms/)
      await clock.advance(10)
      await sent
      assert.equal(await channel.receive(), 'a')
      assert.equal(await stateOf(channel.receive()), 'pending')
    })
  })

  it('with timeout 0 does not wait, and succeeds where it need not', async () => {
    const channel = new Channel<string>(1)
    await assert.rejects(channel.receive({ timeout: 0 }), TimeoutError)
    await channel.send('a', { timeout: 0 })
    await assert.rejects(channel.send('b', { timeout: 0 }), TimeoutError)
    assert.equal(await channel.receive({ timeout: 0 }), 'a')
  })

  it('by its signal, with the reason as it is; one that has aborted does nothing', async () => {
    const channel = new Channel<string>(1)
    const reason = new Error('enough')
    const controller = new AbortController()
    const received = channel.receive({ signal: controller.signal })
    controller.abort(reason)
    await assert.rejects(received, (error) => error === reason)
    await assert.rejects(channel.send('a', { signal: controller.signal }), (error) => error === reason)
    assert.equal(await stateOf(channel.receive()), 'pending')
  })

  it('with the signal of the group or the timeout that it is in', async () => {
    const channel = new Channel<string>()
    const { signal } = new AbortController()
    const failed = TaskGroup.run((group) => {
      void group.spawn(() => channel.receive({ signal }))
      void group.spawn(async () => {
        for await (const _ of channel);
      })
      void group.spawn(() => {
        throw new Error('boom')
      })
      return channel.receive()
    })
    await assert.rejects(failed, (error) => {
      assert.ok(error instanceof AggregateError)
      assert.equal(error.errors.length, 1)
      return true
    })
    const clock = new ManualClock()
    const late = assert.rejects(
      clock.run(() => timeout(10, () => channel.receive())),
      TimeoutError,
    )
    await clock.advance(10)
    await late
    assert.equal(await stateOf(channel.send('a')), 'pending', 'nobody waits there any more')
  })

  it('leaves no timer and no listener behind', async () => {
    const channel = new Channel<number>()
    const { signal } = new AbortController()
    for (let n = 0; n < 100; n++) {
      const received = channel.receive({ timeout: 60_000, signal })
      await channel.send(n, { timeout: 60_000, signal })
      assert.equal(await received, n)
    }
    assert.ok(!process.getActiveResourcesInfo().includes('Timeout'))
  })

  it('refuses bad options by a rejection', async () => {
    const channel = new Channel<number>(1)
    await assert.rejects(channel.receive({ timeout: -1 }), RangeError)
    await assert.rejects(channel.receive({ timeout: NaN }), RangeError)
    await assert.rejects(channel.send(1, { timeout: '1' } as never), TypeError)
    await assert.rejects(channel.send(1, { signal: {} } as never), TypeError)
    await assert.rejects(channel.send(1, 5 as never), TypeError)
    assert.equal(await stateOf(channel.receive()), 'pending')
  })
})

/** The same channel in the plainest way: lists of who waits, gone through from the front. */
class Model {
  readonly values: number[] = []
  readonly senders: { id: number; value: number }[] = []
  readonly receivers: number[] = []
  readonly ends: string[] = []
  closed = false
  readonly capacity: number
  constructor(capacity: number) {
    this.capacity = capacity
  }
  send(id: number, value: number): void {
    if (this.closed) this.ends.push(`${id} ClosedError`)
    else if (this.receivers.length > 0) this.ends.push(`${this.receivers.shift()} ${value}`, `${id} sent`)
    else if (this.values.length < this.capacity) {
      this.values.push(value)
      this.ends.push(`${id} sent`)
    } else this.senders.push({ id, value })
  }
  receive(id: number): void {
    const waiting = this.values.length > 0 || this.senders.length > 0
    if (!waiting) return void (this.closed ? this.ends.push(`${id} ClosedError`) : this.receivers.push(id))
    const sender = this.senders.shift()
    if (sender !== undefined) {
      this.values.push(sender.value)
      this.ends.push(`${sender.id} sent`)
    }
    this.ends.push(`${id} ${this.values.shift()}`)
  }
  cancel(id: number): void {
    const sender = this.senders.findIndex((each) => each.id === id)
    const receiver = this.receivers.indexOf(id)
    if (sender === -1 && receiver === -1) return
    if (sender !== -1) this.senders.splice(sender, 1)
    if (receiver !== -1) this.receivers.splice(receiver, 1)
    this.ends.push(`${id} cancelled`)
  }
  close(): void {
    this.closed = true
    for (const { id } of this.senders.splice(0)) this.ends.push(`${id} ClosedError`)
    for (const id of this.receivers.splice(0)) this.ends.push(`${id} ClosedError`)
  }
}

it('does what the model does, whatever is sent, received, cancelled and closed', async () => {
  const action = fc.oneof(
    { weight: 10, arbitrary: fc.constant({ what: 'send', at: 0 } as const) },
    { weight: 10, arbitrary: fc.constant({ what: 'receive', at: 0 } as const) },
    { weight: 4, arbitrary: fc.record({ what: fc.constant('cancel' as const), at: fc.nat(20) }) },
    { weight: 1, arbitrary: fc.constant({ what: 'close', at: 0 } as const) },
  )
  const program = fc.array(action, { maxLength: 40 })
  await fc.assert(
    fc.asyncProperty(fc.nat(4), program, async (capacity, actions) => {
      const channel = new Channel<number>(capacity)
      const model = new Model(capacity)
      const ends: string[] = []
      const controllers: AbortController[] = []
      for (const [id, { what, at }] of actions.entries()) {
        const controller = new AbortController()
        controllers.push(controller)
        const { signal } = controller
        const note = (end: string): unknown => ends.push(`${id} ${end}`)
        const failed = (error: unknown): unknown => note(error === id ? 'cancelled' : (error as Error).name)
        if (what === 'send') channel.send(id, { signal }).then(() => note('sent'), failed)
        if (what === 'receive') channel.receive({ signal }).then((value) => note(String(value)), failed)
        if (what === 'close') channel.close()
        if (what === 'cancel') controllers[at]?.abort(at)
        if (what === 'cancel') model.cancel(at)
        else model[what](id, id)
        // In one step several may settle: their order is not promised.
        await turn()
        assert.deepEqual(ends.toSorted(), model.ends.toSorted())
      }
    }),
    { numRuns: 300 },
  )
})

it('coroutines of a scheduler and async functions meet in one channel', async () => {
  const scheduler = new Scheduler()
  const numbers = new Channel<number>()
  const squares = new Channel<number>(2)
  scheduler.spawn(function* () {
    for (let n = 1; n <= 3; n++) {
      const x: number = yield numbers.receive()
      yield squares.send(x * x)
    }
    squares.close()
  })
  const feed = (async () => {
    for (const n of [2, 3, 4]) await numbers.send(n)
  })()
  const collect = (async () => {
    const seen: number[] = []
    for await (const n of squares) seen.push(n)
    return seen
  })()
  await scheduler.run()
  await feed
  assert.deepEqual(await collect, [4, 9, 16])
})
