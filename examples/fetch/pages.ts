/**
 * What the example and its benchmark share: a server whose pages take a while to come, what is done with a
 * page, and many coroutines in one process. Processes and pools are chosen by whoever calls it.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Pool } from 'plait'
import { TaskGroup } from 'plait/coroutine'

/** Milliseconds until a page comes; meanwhile its reader can do something else. */
const delay = 20
const wordsInPage = 20_000

/** Starts a server in the only worker of `pool`, where it stays; returns where it listens. */
export function startServer(pool: Pool): Promise<string> {
  return pool.apply(async () => {
    const page = Array.from({ length: wordsInPage }, (_, i) => `word${(i * i) % 997}`).join(' ')
    const server = createServer((request, response) => {
      setTimeout(() => response.end(`${request.url} ${page}`), delay)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
}

/** Waits for a page, then counts its words: some of the time is the network's, some is a core's. */
export async function countWords(url: string): Promise<number> {
  const text = await (await fetch(url)).text()
  const counts = new Map<string, number>()
  for (const word of text.toLowerCase().matchAll(/\w+/g)) counts.set(word[0], (counts.get(word[0]) ?? 0) + 1)
  return counts.size
}

/** So many coroutines in this process, each of which takes the next URL when it is free. */
export async function countTogether(urls: readonly string[], coroutines: number): Promise<number[]> {
  const counts: number[] = []
  const queue = urls.entries()
  await TaskGroup.run((group) => {
    for (let n = 0; n < coroutines; n++)
      void group.spawn(async () => {
        for (const [i, url] of queue) counts[i] = await countWords(url)
      })
  })
  return counts
}
