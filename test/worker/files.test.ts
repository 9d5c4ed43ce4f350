/**
 * What a worker loads before it runs its first line for the user: each file takes its time, at every start.
 */
import assert from 'node:assert/strict'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { Process } from 'plait'

/** Files that a worker may load. */
const mostFiles = 15

const url = (code: string): string => `data:text/javascript,${encodeURIComponent(code)}`
const hooks = url(`
  import { writeSync } from 'node:fs'
  export async function load(url, context, next) {
    writeSync(1, 'loaded ' + url + '\\n')
    return await next(url, context)
  }`)
const register = url(`import { register } from 'node:module'; register(${JSON.stringify(hooks)})`)

test(`a child that returns a plain object loads at most ${mostFiles} files`, async () => {
  const p = new Process({
    stdio: 'pipe',
    execArgv: ['--import', register],
    target: () => ({ a: [1, 'b'] }),
  }).start()
  const [output, result] = await Promise.all([text(p.stdout!), p.result])
  assert.deepEqual(result, { a: [1, 'b'] })
  const loaded = output.split('\n').flatMap((line) => /^loaded (file:.*)/.exec(line)?.[1] ?? [])
  assert.ok(
    loaded.some((file) => file.endsWith('entry.js')),
    output,
  )
  assert.ok(loaded.length <= mostFiles, `${loaded.length} files:\n${loaded.join('\n')}`)
})
