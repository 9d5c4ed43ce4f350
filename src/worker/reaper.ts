/**
 * Children never outlive their parent, not even one that spins and so cannot see its control stream end. One
 * tiny shell per parent, in a session of its own, knows the children's pids from a pipe; the pipe's end is
 * the parent's end, however it came, and after a grace it kills what is left. Used by WorkerHandle alone.
 */
import type { ChildProcess } from 'node:child_process'
import type { Socket } from 'node:net'
import { inThread, outside } from '../core/context.ts'
import { orphanGrace } from '../core/limits.ts'

/**
 * Lines "+ pid" and "- pid". Where /proc is there, a pid is remembered with the process's start time, so that
 * one that was given to somebody else meanwhile is left alone.
 */
const script = `
trap '' HUP INT QUIT TERM
stat() {
  began=
  [ -r /proc/$1/stat ] || return 0
  read -r line 2>/dev/null < /proc/$1/stat || return 0
  set -- \${line##*) }
  began=\${20}
}
live=' '
while read -r op pid; do
  case $op in
    +) stat $pid; live="$live$pid:$began " ;;
    -) case $live in *" $pid:"*) rest=\${live#* $pid:}; live="\${live%% $pid:*} \${rest#* }" ;; esac ;;
  esac
done
[ "$live" = ' ' ] && exit
sleep ${orphanGrace / 1000}
for entry in $live; do
  pid=\${entry%%:*}
  stat $pid
  [ "$pid:$began" = "$entry" ] && kill -KILL $pid 2>/dev/null
done
`

/**
 * For a thread: the shell leaves another one behind and ends. A thread that has ended waits for no child of
 * its own, so a shell that ends after it would stay in the table of processes. Not over stdin, which Node
 * closes with the first one.
 */
const left = `( ${script} ) <&3 3<&- &`

/**
 * A shell that was killed is replaced at once, then after pauses that double from here: one that cannot live
 * here is not tried for ever, many times a second.
 */
const firstPause = 250
const longestPause = 60_000

let shell: ChildProcess | undefined
/** What it reads. */
let pipe: Socket | null = null
let pause = 0
let retry: NodeJS.Timeout | undefined
/** Children to be known by the shell: all that live. */
const live = new Set<number>()

/**
 * A child is about to be spawned. The shell opens in this very call: what the parent does next may be a loop
 * that never ends. Before the child, because that costs the start 1 ms; beside a booting child it costs 6.
 */
export function prepare(): void {
  if (shell === undefined && process.platform !== 'win32') outside(open)
}

/** A child was spawned, and was not told yet what to do: until then the end of its stream ends it. */
export function watch(pid: number): void {
  live.add(pid)
  if (shell !== undefined) tell(`+ ${pid}\n`)
  else prepare()
}

/** A child has ended, and its pid may soon be somebody else's. */
export function withdraw(pid: number): void {
  live.delete(pid)
  tell(`- ${pid}\n`)
}

function tell(line: string): void {
  if (pipe?.writable === true) pipe.write(line)
}

function open(): void {
  clearTimeout(retry)
  const began = performance.now()
  const { spawn } = process.getBuiltinModule('node:child_process')
  let opened: ChildProcess
  try {
    opened = spawn('/bin/sh', ['-c', inThread() ? left : script], {
      stdio: inThread() ? ['ignore', 'ignore', 'ignore', 'pipe'] : ['pipe', 'ignore', 'ignore'],
      detached: true,
      cwd: '/',
    })
  } catch {
    return replace(0) // out of processes, files or memory: no reason to fail the child, which runs already
  }
  shell = opened
  const lost = (): void => {
    if (shell === opened) replace(performance.now() - began)
  }
  opened.on('error', lost)
  if (!inThread()) opened.on('exit', lost)
  pipe = opened.stdio[inThread() ? 3 : 0] as Socket | null
  pipe?.on('error', lost)
  pipe?.unref()
  opened.unref()
  tell([...live].map((pid) => `+ ${pid}\n`).join(''))
}

/** The shell is gone, after so many milliseconds. Where no child lives, the next one opens another. */
function replace(lived: number): void {
  shell = undefined
  if (lived > pause) pause = 0
  if (live.size > 0) retry = setTimeout(reopen, pause).unref()
  pause = Math.min(longestPause, Math.max(firstPause, 2 * pause))
}

function reopen(): void {
  if (shell === undefined && live.size > 0) open()
}
