/**
 * Completes package-lock.json after an `npm install`: native packages for other systems that npm could not
 * look up at that moment are left out of the lock, and `npm ci` then refuses it. They are pinned by the
 * package that wants them, so their entries can be written. Run by hand (`npm run lock`);
 * test/house/manifest.test.ts says when it is needed. It never changes an entry that is there.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const file = join(dirname(fileURLToPath(import.meta.url)), '..', 'package-lock.json')
const lock = JSON.parse(readFileSync(file, 'utf8'))
let added = 0
for (const [path, entry] of Object.entries(lock.packages))
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {}))
    if (!isLocked(path, name)) {
      lock.packages[`node_modules/${name}`] = entryFor(name, version, entry.dev)
      added++
    }
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, 'en')))
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`)
console.log(`${added} packages for other systems added to package-lock.json`)

/** Whether `name`, as seen from the package at `path`, has an entry: its own folder first, then outwards. */
function isLocked(path, name) {
  for (
    let at = path;
    ;
    at = at.includes('/node_modules/') ? at.replace(/\/node_modules\/(?!.*\/node_modules\/).*$/, '') : ''
  ) {
    if (lock.packages[`${at === '' ? '' : `${at}/`}node_modules/${name}`] !== undefined) return true
    if (at === '') return false
  }
}

/** What npm would have written, as far as the name tells: '@x/binding-linux-x64-musl' → linux, x64, musl. */
function entryFor(name, version, dev) {
  const systems = 'android|darwin|freebsd|linux|openharmony|win32'
  const match = new RegExp(`(${systems})-(arm64|arm|ia32|ppc64|riscv64|s390x|x64)(?:-(.*))?$`).exec(name)
  if (match === null || !/^\d/.test(version))
    throw new Error(`cannot tell what system ${name}@${version} is for`)
  const [, os, cpu, abi] = match
  return {
    version,
    cpu: [cpu],
    ...(dev ? { dev: true } : {}),
    ...(os === 'linux' && abi !== undefined ? { libc: [abi.includes('musl') ? 'musl' : 'glibc'] } : {}),
    optional: true,
    os: [os],
  }
}
