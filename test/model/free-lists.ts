/** Whether the heap's lists of free blocks are whole. Used by the scenarios, and by test/memory. */
import { load } from '#plait/memory/atomics.js'
import { allocate, free, read, walk } from '#plait/memory/heap.js'
import { FREE, H_KIND, H_NEXT, kinds } from '#plait/memory/layout.js'
import { region } from '#plait/memory/region.js'

/** What is wrong with them: each free block is in one list, once. */
export function freeLists(): string | undefined {
  free(allocate(64, kinds.payload)) // makes good what a death in the guard has left
  const blocks = new Set<number>()
  for (const address of walk()) if (read(address, H_KIND) === kinds.free) blocks.add(address)
  const { size } = blocks
  for (let i = 0; i < 64; i++)
    for (let block = load(region().words, FREE + i); block !== 0; block = read(block, H_NEXT))
      if (!blocks.delete(block)) return 'a list has a block that is not free, or has it twice'
  return blocks.size === 0 ? undefined : `${blocks.size} of ${size} free blocks are in no list`
}
