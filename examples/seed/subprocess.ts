/**
 * Other programs, as the notes on Python's multiprocessing that plait grew from speak of them: what `pid` is,
 * what `poll()` says, and how an argument that carries a command of its own stays an argument. Run by
 * `node build/examples/seed/subprocess.js`; test/subprocess/seed.test.ts holds its output to what it says.
 */
import { PIPE, Popen, checkOutput, run, sh } from 'plait/subprocess'

/** `pid` is the program that was started: with a shell, the shell. What the shell starts has another one. */
async function pids(): Promise<void> {
  const direct = new Popen(['sh', '-c', 'echo $$'], { stdout: PIPE, encoding: 'utf8' })
  const [own] = await direct.communicate()
  console.log(`pid is the program's own: ${Number(own) === direct.pid}`)

  const shell = new Popen('cat & echo $$ $!; wait', { shell: true, stdout: PIPE, encoding: 'utf8' })
  const [line] = await shell.communicate()
  const [itself, child] = (line ?? '').split(' ').map(Number)
  console.log(`with a shell it is the shell's: ${itself === shell.pid}`)
  console.log(`what runs in the shell has its own, usually the next one: ${child !== shell.pid}`)
}

/** `poll()`: null while it runs, then 0 where all went well; -15 after SIGTERM. */
async function polls(): Promise<void> {
  const reader = new Popen(['cat'], { stdin: PIPE })
  console.log(`while it runs: ${reader.poll()}`)
  reader.stdin?.end()
  await reader.wait()
  console.log(`after a good end: ${reader.poll()}`)

  const sleeper = new Popen(['sleep', '60'])
  sleeper.terminate()
  await sleeper.wait()
  console.log(`after terminate(): ${sleeper.poll()}`)
}

/** What a stranger typed: pasted into a command line, its second half would be a command. */
const name = 'notes.txt; echo your files are gone'

async function strangers(): Promise<void> {
  const pasted = await run(`echo ${name}`, { shell: true, captureOutput: true, encoding: 'utf8' })
  console.log(`pasted:   ${JSON.stringify(pasted.stdout)}`)
  const passed = await checkOutput(['echo', name], { encoding: 'utf8' })
  console.log(`passed:   ${JSON.stringify(passed)}`)
  const quoted = await checkOutput(sh`echo ${name} | cat`, { shell: true, encoding: 'utf8' })
  console.log(`with sh:  ${JSON.stringify(quoted)}`)
}

await pids()
await polls()
await strangers()
