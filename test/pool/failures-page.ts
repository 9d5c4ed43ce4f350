/**
 * Writes the tables of failures as docs/failures.md: `node build/test/pool/failures-page.js` after a build.
 * failures.test.ts holds the page to what it would write.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../../tools/sources.ts'
import { inputFailures, type Expected } from './failures-inputs.js'
import { failures, parentKilled } from './failures.js'
import { methods, states } from './failures-stage.js'

export const page = join(root, 'docs', 'failures.md')

const ways = methods.map(({ name }) => `\`${name}\``).join(', ')

const intro = `# What fails, and what comes of it

No promise of plait's is left pending. These tables say what the caller of a task gets, whatever fails, in
whatever state the task is. Every cell is brought about and asserted by a test, for each way to submit work
(${ways}); this page is written from the data that the test walks
(\`test/pool/failures.ts\`), and a test compares the two.

The states of a task:

- *queued*: it waits in the line; no worker has it.
- *sent*: a worker holds it, and stands at another task.
- *running*: its function has been called.
- *on its way*: its result has left the worker, and the program has not read it yet.

What holds in all of them: a task settles once. One that had not begun when its worker died runs elsewhere,
uncounted; one that had ended is never lost. \`statistics()\` count each task in exactly one of \`queued\`,
\`running\`, \`completed\` (with a value) and \`failed\` (with an error, whichever): when all is settled the
first two are 0. \`restarts\` is one more for each worker that is said to be replaced. Where nothing else is
said the pool goes on. In the columns *queued* and *sent* it is the task before it that does what the first
column says, and that task gets what the column *running* says.
`

const row = (...cells: string[]): string => `| ${cells.join(' | ')} |`
const head = (...cells: string[]): string[] => [row(...cells), row(...cells.map(() => '---'))]

function cellText(cell: (typeof failures)[number]['cells']['sent']): string {
  return typeof cell === 'string' ? `— (${cell})` : cell.says
}

function taskTable(): string[] {
  return [
    ...head('what fails', ...states, 'the worker, the pool'),
    ...[...failures, parentKilled].map(({ what, cells, rest }) =>
      row(what, ...states.map((state) => cellText(cells[state])), rest),
    ),
  ]
}

function outcomeText({ values, error }: Expected): string {
  const given = values.length === 0 ? [] : [`the results of ${values.join(', ')}`]
  return [...given, ...(error === undefined ? [] : [`\`${error[0]}\`: ${error[1]}`])].join(', then ')
}

function inputTable(): string[] {
  return [
    ...head('an input of three items', '`map`', '`imap`, with room for all three'),
    ...inputFailures.map(({ what, map, imap, kinds, leaves }) =>
      row(
        `${kinds.length === 1 ? '(asynchronous) ' : ''}${what}`,
        outcomeText(map),
        outcomeText(imap) + (leaves === undefined ? '' : ', as the loop is left'),
      ),
    ),
  ]
}

export function pageText(): string {
  const parts = [
    intro,
    '## Tasks, workers, pools\n',
    ...taskTable(),
    '\n## Inputs\n',
    'What the input throws comes as it was thrown; the pool goes on. `map` takes its whole input first.\n',
    ...inputTable(),
  ]
  return `${parts.join('\n')}\n`
}

if (process.argv[1] === import.meta.filename) {
  mkdirSync(join(root, 'docs'), { recursive: true })
  writeFileSync(page, pageText())
}
