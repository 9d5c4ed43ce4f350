/**
 * The program that the walk kills: brings a task into a state, tells the pids of its workers, and waits.
 * `node failures-parent.js METHOD STATE`; started by failures-parent.test.ts alone.
 */
import { methods, stage, stand, type State } from './failures-stage.js'

const [name, state] = process.argv.slice(2) as [string, State]
const method = methods.find((each) => each.name === name)!
const { host } = await stage(method, state, {
  processes: 1,
  options: () => ({}),
  before: {},
  task: {},
  fault: 'none',
  callback: undefined,
})
const pids = host.statistics().workers.map(({ pid }) => pid)
process.send!(pids, () => {
  // The result stays unread.
  if (state === 'on its way') stand(() => false, 'the end')
})
