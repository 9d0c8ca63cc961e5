import { totalmem } from 'node:os'
import { Worker } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import { type AllowanceInputs, type AllowanceSource, readAllowance } from '../../src/base/memory/allowance.ts'

const MIB = 1024 ** 2
const RAM = 16_384 * MIB

/** The allowance of a machine with these files and 16 GiB. */
function allowance(files: Readonly<Record<string, string>>, inputs: Partial<AllowanceInputs> = {}) {
  return readAllowance({
    ram: RAM,
    constrained: undefined,
    heapLimit: 4096 * MIB,
    nodeOptions: [],
    workerLimits: {},
    read: (path) => files[path],
    ...inputs,
  })
}

const valuesOf = (sources: readonly AllowanceSource[]) =>
  Object.fromEntries(sources.map(({ source, bytes }) => [source, bytes / MIB]))

/** `/proc/self/mountinfo` as Docker and Kubernetes have it: the container's own group at the mount, or the host's root. */
const mountOf = (root: string): string =>
  `29 23 0:26 / /proc rw,nosuid - proc proc rw\n30 23 0:27 ${root} /sys/fs/cgroup rw,nosuid,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate\n`
const MOUNT_V1 =
  '35 31 0:31 /docker/abc /sys/fs/cgroup/memory ro,relatime master:15 - cgroup cgroup rw,memory\n36 31 0:32 /docker/abc /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu,cpuacct\n'

describe('what a process may use', () => {
  it('is the machine, where nothing else limits it', () => {
    const found = allowance({})
    expect(found).toMatchObject({ bytes: RAM, source: 'machine RAM', heapLimit: 4096 * MIB })
    expect(found.sources.map(({ bytes }) => bytes)).toEqual([RAM, ...Array(6).fill(Infinity)])
  })

  it('is the limit of its own group of version 2', () => {
    const files = {
      '/proc/self/cgroup': '0::/kubepods/pod1/container\n',
      '/proc/self/mountinfo': mountOf('/'),
      '/sys/fs/cgroup/kubepods/pod1/container/memory.max': `${512 * MIB}\n`,
      '/sys/fs/cgroup/kubepods/pod1/memory.max': 'max\n',
    }
    expect(allowance(files)).toMatchObject({ bytes: 512 * MIB, source: 'cgroup v2 memory.max' })
  })

  it('is the limit of an ancestor, where that is lower', () => {
    const files = {
      '/proc/self/cgroup': '0::/kubepods/pod1/container\n',
      '/sys/fs/cgroup/kubepods/pod1/container/memory.max': `${512 * MIB}\n`,
      '/sys/fs/cgroup/kubepods/memory.max': `${256 * MIB}\n`,
    }
    expect(allowance(files).bytes).toBe(256 * MIB)
  })

  it.each([
    ['the path is that of the mount', '0::/docker/abc\n', '/docker/abc'],
    ['the namespace hides the path', '0::/\n', '/'],
    ['the path leaves the namespace', '0::/../../other\n', '/../..'],
    ['the path is the host’s, and not there', '0::/host/path\n', '/'],
  ])('is found in a container whose group is mounted at the top: %s', (_, cgroup, root) => {
    const files = {
      '/proc/self/cgroup': cgroup,
      '/proc/self/mountinfo': mountOf(root),
      '/sys/fs/cgroup/memory.max': `${300 * MIB}\n`,
    }
    expect(allowance(files)).toMatchObject({ bytes: 300 * MIB, source: 'cgroup v2 memory.max' })
  })

  it('is the limit of version 1, and its "none" is no limit', () => {
    const files = {
      '/proc/self/cgroup': '9:cpu,cpuacct:/docker/abc\n4:memory:/docker/abc/inner\n0::/\n',
      '/proc/self/mountinfo': MOUNT_V1,
      '/sys/fs/cgroup/memory/inner/memory.limit_in_bytes': `${400 * MIB}\n`,
      '/sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
    }
    expect(allowance(files)).toMatchObject({ bytes: 400 * MIB, source: 'cgroup v1 memory.limit_in_bytes' })
    expect(allowance({ '/sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n' }).bytes).toBe(RAM)
  })

  it('is the smallest of all, each of which it keeps', () => {
    const files = {
      '/sys/fs/cgroup/memory.max': `${300 * MIB}`,
      '/sys/fs/cgroup/memory/memory.limit_in_bytes': `${200 * MIB}`,
    }
    const found = allowance(files, { constrained: 100 * MIB })
    expect(found).toMatchObject({ bytes: 100 * MIB, source: 'process.constrainedMemory()' })
    expect(valuesOf(found.sources)).toEqual({
      'machine RAM': 16_384,
      'cgroup v2 memory.max': 300,
      'cgroup v2 memory.high': Infinity,
      'cgroup v1 memory.limit_in_bytes': 200,
      'process.constrainedMemory()': 100,
      'ulimit -v (address space)': Infinity,
      'ulimit -d (data)': Infinity,
    })
  })

  it('is memory.high, from which the kernel takes memory back, where that is lower', () => {
    const files = {
      '/proc/self/cgroup': '0::/pod/container\n',
      '/sys/fs/cgroup/pod/container/memory.max': `${512 * MIB}\n`,
      '/sys/fs/cgroup/pod/memory.high': `${400 * MIB}\n`,
      '/sys/fs/cgroup/pod/container/memory.high': 'max\n',
    }
    expect(allowance(files)).toMatchObject({ bytes: 400 * MIB, source: 'cgroup v2 memory.high' })
  })

  it.each([
    ['address space', '1073741824           unlimited', 'ulimit -v (address space)'],
    ['data size', '1073741824           2147483648', 'ulimit -d (data)'],
  ])('is what ulimit leaves: %s', (name, values, source) => {
    const line = `${`Max ${name}`.padEnd(26)}${values}            bytes     \n`
    const limits = `Limit                     Soft Limit           Hard Limit           Units     \n${line}`
    expect(allowance({ '/proc/self/limits': limits })).toMatchObject({ bytes: 1024 * MIB, source })
  })

  it.each([
    ['unlimited            unlimited'],
    ['-1                   unlimited'],
    ['0                    0'],
    ['lots'],
    [''],
  ])('takes "%s" of ulimit for no limit', (values) => {
    expect(allowance({ '/proc/self/limits': `Max address space         ${values}` }).bytes).toBe(RAM)
  })

  it.each<[string, Partial<AllowanceInputs>, number, string]>([
    ['V8, where nothing is said', { nodeOptions: [] }, 4096, 'V8 heap limit'],
    ['the option', { nodeOptions: ['--max-old-space-size=256'] }, 256, '--max-old-space-size'],
    ['the option, in V8’s spelling', { nodeOptions: ['--max_old_space_size', '300'] }, 300, '--max-old-space-size'],
    [
      'the last option',
      { nodeOptions: ['--max-old-space-size=9', '--max-old-space-size=400'] },
      400,
      '--max-old-space-size',
    ],
    ['V8, where the option is garbage', { nodeOptions: ['--max-old-space-size=lots'] }, 4096, 'V8 heap limit'],
    ['V8, where the option is 0', { nodeOptions: ['--max-old-space-size=0'] }, 4096, 'V8 heap limit'],
    [
      'a worker’s limits',
      {
        nodeOptions: ['--max-old-space-size=256'],
        workerLimits: { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 8 },
      },
      72,
      'worker resourceLimits',
    ],
  ])('of the heap, knows %s', (_, inputs, megabytes, source) => {
    const found = allowance({}, inputs)
    expect(found).toMatchObject({ heapLimit: megabytes * MIB, heapSource: source, bytes: RAM })
    expect(found.heapSources).toHaveLength(3)
  })

  it.each([[0], [undefined], [RAM], [2 ** 64], [Number.NaN]])(
    'takes %s from process.constrainedMemory() for no limit',
    (constrained) => {
      expect(allowance({}, { constrained }).source).toBe('machine RAM')
    },
  )

  it.each([
    ['', ''],
    ['garbage', 'max max'],
    ['0::relative\n::::\n4:memory\n', '-1'],
    ['\0\0\0', '1e3'],
    ['0::/a\n'.repeat(1000), '12.5'],
    [`0::/${'deep/'.repeat(100_000)}`, '0'],
  ])('never throws at what it reads', (cgroup, limit) => {
    const read = (path: string): string => (path.startsWith('/proc') ? cgroup : limit)
    expect(allowance({}, { read }).bytes).toBe(RAM)
  })

  it('unescapes where the hierarchy is mounted', () => {
    const files = {
      '/proc/self/mountinfo': '30 23 0:27 / /mnt/my\\040groups rw - cgroup2 cgroup2 rw\n',
      '/mnt/my groups/memory.max': `${64 * MIB}`,
    }
    expect(allowance(files).bytes).toBe(64 * MIB)
  })

  it('reads this process', () => {
    const found = readAllowance()
    expect(found.sources[0]).toEqual({ source: 'machine RAM', bytes: totalmem() })
    expect(found.bytes).toBeLessThanOrEqual(totalmem())
    expect(found.heapLimit).toBeGreaterThan(16 * MIB)
  })

  it('of a worker, knows its resource limits', async () => {
    const script = `
      const { parentPort, resourceLimits } = require('node:worker_threads')
      parentPort.postMessage([require('node:v8').getHeapStatistics().heap_size_limit, resourceLimits.maxOldGenerationSizeMb])`
    const worker = new Worker(script, {
      eval: true,
      resourceLimits: { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 8 },
    })
    const [limit, old] = await new Promise<[number, number]>((resolve) => worker.once('message', resolve))
    // What `heapLimit` rests on.
    expect(limit).toBeLessThan(128 * MIB)
    expect(old).toBe(64)
  })
})
