/**
 * What cpuCount makes of affinity and of the quotas of control groups, read from made-up files of the kernel.
 */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { cpuCount, quota } from '#plait/worker/cpus.js'

/** The quota that a machine with these files grants. */
function quotaWith(files: Record<string, string>): number {
  const root = mkdtempSync(join(tmpdir(), 'plait-test-'))
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true })
    writeFileSync(join(root, name), content)
  }
  try {
    return quota(root)
  } finally {
    rmSync(root, { recursive: true })
  }
}

test('no more than the affinity mask, and at least one', () => {
  const count = cpuCount()
  assert.ok(Number.isInteger(count) && count >= 1 && count <= availableParallelism())
})

test('control groups, unified', () => {
  const self = { 'proc/self/cgroup': '0::/a/b\n' }
  assert.equal(quotaWith({}), Infinity)
  assert.equal(quotaWith(self), Infinity)
  assert.equal(quotaWith({ ...self, 'sys/fs/cgroup/a/b/cpu.max': 'max 100000\n' }), Infinity)
  assert.equal(quotaWith({ ...self, 'sys/fs/cgroup/a/b/cpu.max': '150000 100000\n' }), 1.5)
  const both = { 'sys/fs/cgroup/a/cpu.max': '50000 100000\n', 'sys/fs/cgroup/a/b/cpu.max': '150000 100000\n' }
  assert.equal(quotaWith({ ...self, ...both }), 0.5, 'a limit further up holds too')
  assert.equal(quotaWith({ 'proc/self/cgroup': '0::/\n', 'sys/fs/cgroup/cpu.max': '200000 100000' }), 2)
  assert.equal(quotaWith({ 'proc/self/cgroup': '0::/../x\n', 'sys/fs/cgroup/cpu.max': '200000 100000' }), 2)
})

test('control groups, as they were', () => {
  const self = { 'proc/self/cgroup': '5:memory:/docker/x\n4:cpu,cpuacct:/docker/x\n' }
  const at = (path: string, us: number): Record<string, string> => ({
    [`sys/fs/cgroup/cpu/${path}cpu.cfs_quota_us`]: `${us}\n`,
    [`sys/fs/cgroup/cpu/${path}cpu.cfs_period_us`]: '100000\n',
  })
  assert.equal(quotaWith({ ...self, ...at('docker/x/', 250_000) }), 2.5)
  assert.equal(
    quotaWith({ ...self, ...at('', 300_000) }),
    3,
    'in a container the group is mounted at the top',
  )
  assert.equal(quotaWith({ ...self, ...at('docker/x/', -1) }), Infinity)
})
