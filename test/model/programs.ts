/** The scenarios that there are, by file and name. Used by the test and by main.ts. */
import { readdirSync } from 'node:fs'
import type { Scenario } from './scenario.ts'

export interface Program {
  readonly url: URL
  readonly name: string
  /** "guard two". */
  readonly title: string
  readonly scenario: Scenario
}

/** Those whose title begins with one of the filters; all where there is none. */
export async function programs(filters: readonly string[]): Promise<Program[]> {
  const folder = new URL('./scenarios/', import.meta.url)
  const found: Program[] = []
  for (const file of readdirSync(folder).filter((one) => one.endsWith('.js'))) {
    const url = new URL(file, folder)
    const scenarios = (await import(url.href)) as Record<string, Scenario>
    for (const [name, scenario] of Object.entries(scenarios)) {
      const title = `${file.slice(0, -3)} ${name}`
      if (filters.length === 0 || filters.some((filter) => title.startsWith(filter)))
        found.push({ url, name, title, scenario })
    }
  }
  return found
}
