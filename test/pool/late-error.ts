/**
 * A program whose task fails, below two async functions; it prints the error's stack. callers.test.ts runs it
 * with and without source maps.
 */
import { Pool } from 'plait'

function fail(row: number): number {
  throw new RangeError(`row ${row}`)
}

async function importRows(pool: Pool): Promise<number[]> {
  return await pool.map(fail, [7])
}

async function importAll(): Promise<void> {
  await using pool = new Pool(1)
  await importRows(pool)
}

await importAll().catch((error: unknown) => console.log((error as Error).stack))
