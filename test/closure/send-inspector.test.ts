/** The inspector is used in short sessions that leave nothing behind. */
import assert from 'node:assert/strict'
import { Session } from 'node:inspector'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { capture, prewarm } from '#plait/closure/capture.js'
import { Inspection } from '#plait/closure/walk/inspector.js'
import { scripts } from '#plait/closure/walk/scripts.js'

const what = 'the function'

function collectGarbage(): void {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
}

/** Loads a script of which no one knows, so that the Debugger domain is needed. */
function unknownFunction(n: number): () => unknown {
  return (0, eval)(`(() => ${n})\n//# sourceURL=unknown-${n}.js`) as () => unknown
}

test('location, scopes, bound parts and private fields', () => {
  const outer = 1
  const fn = (): number => outer
  class Safe {
    #a = -0
    #b = 10n
    #c = { deep: NaN }
    #d = Symbol.iterator
    #m(): unknown {
      return [this.#a, this.#b, this.#c, this.#d]
    }
    get all(): unknown {
      return this.#m()
    }
  }
  const inspection = Inspection.open(scripts)
  assert.ok(inspection !== null)
  try {
    const location = inspection.locate(fn)
    assert.ok(location !== undefined)
    assert.match(inspection.script(location.scriptId)?.url ?? '', /send-inspector\.test\.js$/)
    const scopes = inspection.scopes(fn)
    assert.equal(scopes[0]?.kind, 'function')
    assert.equal(scopes[0]?.variables['outer'], 1)
    assert.deepEqual(
      scopes.slice(-2).map(({ kind }) => kind),
      ['module', 'global'],
    )
    assert.equal(inspection.locate(Math.max), undefined)
    const self = { me: true }
    const sum = function (this: object, ...parts: unknown[]): unknown {
      return [this, parts]
    }
    assert.deepEqual(inspection.bound(sum.bind(self, NaN, 2n)), {
      target: sum,
      self,
      args: [NaN, 2n],
    })
    assert.equal(inspection.bound(fn), undefined)
    const fields = new Map(inspection.privates(new Safe()).map(({ name, value }) => [name, value]))
    assert.deepEqual([...fields.keys()], ['#a', '#b', '#c', '#d'])
    assert.ok(Object.is(fields.get('#a'), -0))
    assert.deepEqual([...fields.values()].slice(1), [10n, { deep: NaN }, Symbol.iterator])
    const target = {}
    assert.equal(inspection.proxyTarget(new Proxy(target, {})), target)
  } finally {
    inspection.close()
  }
})

test('the Debugger domain is off again after a capture that needed it', async () => {
  prewarm()
  const before = await awaits()
  for (let n = 0; n < 5; n++) capture(unknownFunction(n), { what })
  const after = await awaits()
  assert.ok(
    after < before * 3,
    `100,000 awaits took ${before.toFixed(1)} ms before and ${after.toFixed(1)} ms after`,
  )
})

/** The best of some runs; with the Debugger domain on each await costs 6 to 8 times as much. */
async function awaits(): Promise<number> {
  let best = Infinity
  const settled = Promise.resolve()
  for (let round = 0; round < 5; round++) {
    const start = performance.now()
    for (let i = 0; i < 100_000; i++) await settled
    best = Math.min(best, performance.now() - start)
  }
  return best
}

test('nothing stays alive: captured values, functions, instances, arguments of console', async () => {
  const refs: WeakRef<object>[] = []
  const make = (): void => {
    const value = { big: new Array(100).fill(0) }
    class Secret {
      #v = value
      get v(): object {
        return this.#v
      }
    }
    const secret = new Secret()
    const fn = (): unknown => value
    capture(fn, { what })
    capture(fn.bind({ value }), { what })
    const inspection = Inspection.open(scripts)
    inspection?.privates(secret)
    inspection?.close()
    console.debug('# %s', typeof secret, secret)
    refs.push(new WeakRef(value), new WeakRef(fn), new WeakRef(secret))
  }
  for (let i = 0; i < 10; i++) make()
  await new Promise((resolve) => setImmediate(resolve))
  collectGarbage()
  assert.equal(refs.filter((ref) => ref.deref() !== undefined).length, 0)
})

test('another session in this process stays in the picture', () => {
  const other = new Session()
  other.connect()
  const seen: string[] = []
  other.on('Debugger.scriptParsed', ({ params }) => seen.push(params.url))
  other.post('Debugger.enable')
  seen.length = 0
  capture(unknownFunction(77), { what })
  ;(0, eval)('0\n//# sourceURL=seen-by-the-other.js')
  assert.ok(seen.includes('seen-by-the-other.js'))
  other.post('Debugger.disable')
  other.disconnect()
})

test('functions of another context of this process', () => {
  const fn = runInNewContext('const inner = { a: 1 }; (() => inner.a + Math.abs(-1))') as () => number
  const payload = capture(fn, { what })
  assert.equal(payload.templates.length, 1)
})
