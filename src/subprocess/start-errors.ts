/**
 * Why a program did not start. The system answers with a code alone, and Node hands on half of the codes too
 * late to be thrown; so after a start that failed, and never before one, this looks at what the system had
 * before it: the folder, the program, its interpreter, the descriptors. Makes the errors, throws none.
 */
import { accessSync, closeSync, constants, fstatSync, openSync, readSync, statSync } from 'node:fs'
import { constants as system } from 'node:os'
import { resolve } from 'node:path'
import { inspect } from 'node:util'
import type { Launch } from './options.ts'

/** What is wrong: the system's code for it, with what, and the rest of the sentence. */
interface Finding {
  readonly code: string
  readonly path: string
  readonly says: string
}

/** The error of a start that failed; `code` is the system's, where Node tells it in time. */
export function startError(launch: Launch, code: string | undefined): NodeJS.ErrnoException {
  const found = folderProblem(launch) ?? findingOf(launch, code)
  const errno = (system.errno as Readonly<Record<string, number>>)[found.code]
  const error = new Error(`${found.code}: ${found.says}`)
  const { file, args } = launch
  return Object.assign(error, {
    ...(errno === undefined ? {} : { errno: -errno }),
    code: found.code,
    syscall: 'spawn',
    path: found.path,
    spawnargs: [file, ...args],
  })
}

const programCodes = new Set(['ENOENT', 'EACCES', 'ENOTDIR', 'ENAMETOOLONG', 'ELOOP'])

function findingOf(launch: Launch, code: string | undefined): Finding {
  const found = code === undefined || programCodes.has(code) ? programProblem(launch) : undefined
  return found === undefined ? otherProblem(launch, code) : { ...found, code: code ?? found.code }
}

/** A path or name in a message; only so much of it. */
function show(text: string): string {
  return inspect(text, { maxStringLength: 200, breakLength: Infinity })
}

function folderProblem({ cwd }: Launch): Finding | undefined {
  if (cwd === undefined) return undefined
  const folder = `the working directory ${show(cwd)}`
  try {
    if (!statSync(cwd).isDirectory()) return { code: 'ENOTDIR', path: cwd, says: `${folder} is no folder` }
    accessSync(cwd, constants.X_OK)
    return undefined
  } catch (error) {
    const code = codeOf(error)
    const says = code === 'ENOENT' ? 'does not exist' : `cannot be entered (${code})`
    return { code, path: cwd, says: `${folder} ${says}` }
  }
}

/** What is wrong with the program; undefined where it could be started. */
function programProblem(launch: Launch): Finding | undefined {
  const { file, cwd = '.' } = launch
  if (file.includes('/')) return problemAt(resolve(cwd, file), launch)
  // As the system looks: what cannot be started in one folder may be in another one.
  const found = searchPath(launch).map((folder) => problemAt(resolve(cwd, folder, file), launch))
  if (found.includes(undefined)) return undefined
  const missing = missingProgram(launch)
  return (
    found.find((each) => each?.code === 'EACCES') ??
    found.find((each) => each?.says !== missing.says) ??
    missing
  )
}

/** The folders in which the system looks: those of the child's own PATH. */
function searchPath({ env }: Launch): string[] {
  return ((env ?? process.env)['PATH'] ?? '/bin:/usr/bin').split(':')
}

function problemAt(path: string, launch: Launch): Finding | undefined {
  const { file } = launch
  const refused = (why: string): Finding => ({ code: 'EACCES', path: file, says: `${show(path)} ${why}` })
  try {
    if (!statSync(path).isFile()) return refused('is not a program: it is a folder or a device')
    accessSync(path, constants.X_OK)
    return interpreterProblem(path, file)
  } catch (error) {
    const code = codeOf(error)
    if (code === 'EACCES') return refused('may not be executed: give it the x permission')
    return { ...missingProgram(launch), code }
  }
}

function missingProgram({ command, file }: Launch): Finding {
  const where = file.includes('/') ? '' : ' in any folder of PATH'
  const hint =
    command === file && /\s/.test(file)
      ? '. A string is the name of one program: give [program, ...args], or shell: true'
      : ''
  return { code: 'ENOENT', path: file, says: `there is no program ${show(file)}${where}${hint}` }
}

/** A script whose first line names an interpreter that is not there: for the system the script is missing. */
function interpreterProblem(path: string, file: string): Finding | undefined {
  const interpreter = /^#![ \t]*(\S+)/.exec(firstBytes(path))?.[1]
  if (interpreter === undefined) return undefined
  try {
    accessSync(interpreter, constants.X_OK)
    return undefined
  } catch (error) {
    const code = codeOf(error)
    const says = `${show(path)} is to be run by ${show(interpreter)}, which cannot be started (${code})`
    return { code, path: file, says }
  }
}

function firstBytes(path: string): string {
  const bytes = Buffer.alloc(256)
  try {
    const fd = openSync(path, 'r')
    try {
      return bytes.toString('latin1', 0, readSync(fd, bytes))
    } finally {
      closeSync(fd)
    }
  } catch {
    return '' // what may be executed need not be readable
  }
}

/** Neither the folder nor the program. */
function otherProblem(launch: Launch, code: string | undefined): Finding {
  const { file, uid, gid } = launch
  const found = (code: string, says: string): Finding => ({ code, path: file, says })
  switch (code) {
    case 'E2BIG':
      return found(code, 'the arguments and the environment are too long: pass data by input, or in a file')
    case 'EPERM':
      return found(code, `this process may not start ${show(file)} with uid ${uid} and gid ${gid}`)
    case 'EBADF':
      return found(code, closedDescriptors(launch) || `a descriptor for ${show(file)} is not open`)
    case undefined:
      return descriptorProblem(file) ?? found('EAGAIN', `no more processes: ${show(file)} was not started`)
    default:
      return found(code, `the system did not start ${show(file)}`)
  }
}

/** Which of the given descriptors are not open, each as a sentence. */
function closedDescriptors(launch: Launch): string {
  return (['stdin', 'stdout', 'stderr'] as const)
    .flatMap((name) => {
      const fd = launch[name]
      return typeof fd === 'number' && isClosed(fd) ? `${name}: the descriptor ${fd} is not open` : []
    })
    .join(', ')
}

function isClosed(fd: number): boolean {
  try {
    fstatSync(fd)
    return false
  } catch {
    return true
  }
}

/** Whether this process, or the system, has run out of descriptors. */
function descriptorProblem(path: string): Finding | undefined {
  try {
    closeSync(openSync('/dev/null', 'r'))
    return undefined
  } catch (error) {
    return { code: codeOf(error), path, says: `no descriptors left for the pipes of ${show(path)}` }
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'ENOENT'
}
