import { Worker } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import { readAllowance } from '../../src/base/memory/allowance.ts'
import { SystemMemory } from '../../src/base/memory/process-memory.ts'

const MIB = 1024 ** 2
const RAM = 16_384 * MIB

/** The readings of a machine with these files and 16 GiB. */
function machine(files: Readonly<Record<string, string>>) {
  const read = (path: string): string | undefined => files[path]
  return new SystemMemory(
    readAllowance({ ram: RAM, constrained: 0, heapLimit: 304 * MIB, nodeOptions: [], workerLimits: {}, read }),
    read,
  )
}

describe('what a process uses', () => {
  it('is its group’s memory, less what the kernel can drop: version 2', () => {
    const memory = machine({
      '/proc/self/cgroup': '0::/pod\n',
      '/sys/fs/cgroup/pod/memory.max': `${512 * MIB}\n`,
      '/sys/fs/cgroup/pod/memory.current': `${400 * MIB}\n`,
      '/sys/fs/cgroup/pod/memory.stat': `anon 1\ninactive_file ${50 * MIB}\nactive_file ${30 * MIB}\n`,
      '/sys/fs/cgroup/pod/memory.pressure': 'some avg10=12.50 avg60=3.00 avg300=1.00 total=1\nfull avg10=0.00\n',
    })
    expect(memory.resident()).toMatchObject({
      used: 320 * MIB,
      limit: 512 * MIB,
      source: 'cgroup v2 memory.current',
      stalled: 12.5,
    })
  })

  it('is its group’s memory: version 1', () => {
    const memory = machine({
      '/proc/self/cgroup': '4:memory:/pod\n',
      '/sys/fs/cgroup/memory/pod/memory.limit_in_bytes': `${512 * MIB}\n`,
      '/sys/fs/cgroup/memory/pod/memory.usage_in_bytes': `${400 * MIB}\n`,
      '/sys/fs/cgroup/memory/pod/memory.stat': `inactive_file 1\ntotal_inactive_file ${100 * MIB}\n`,
    })
    expect(memory.resident()).toMatchObject({ used: 300 * MIB, limit: 512 * MIB, stalled: null })
  })

  it.each(['', 'max', 'garbage', '-1'])('is its own, where its group says "%s"', (current) => {
    const memory = machine({
      '/sys/fs/cgroup/memory.max': `${512 * MIB}`,
      '/sys/fs/cgroup/memory.current': current,
      '/proc/pressure/memory': 'garbage',
    })
    const { used, rss, limit, stalled } = memory.resident()
    expect([used, limit, stalled]).toEqual([rss, 512 * MIB, null])
  })

  it('is the machine’s, without a group', () => {
    const memory = machine({ '/proc/meminfo': 'MemTotal: 1 kB\nMemAvailable:    2097152 kB\n' })
    expect(memory.resident()).toMatchObject({ used: RAM - 2048 * MIB, limit: RAM, source: 'machine RAM' })
  })

  it('is what ulimit counts, where that is nearest to its limit', () => {
    const memory = machine({
      '/proc/meminfo': 'MemAvailable: 16000000 kB\n',
      '/proc/self/limits': 'Max data size             1073741824           unlimited            bytes\n',
      '/proc/self/status': 'VmSize:\t 9000000 kB\nVmData:\t  1000000 kB\n',
    })
    expect(memory.resident()).toMatchObject({ used: 1_024_000_000, limit: 1024 * MIB, source: 'ulimit -d (data)' })
  })

  it('of its heap, is the old generation’s', () => {
    const { used, limit } = machine({}).heap()
    expect(limit).toBe(256 * MIB)
    expect(used).toBeGreaterThan(MIB)
    expect(used).toBeLessThan(process.memoryUsage().heapUsed)
  })

  it('of a worker’s heap, is the old generation’s of its limits, the young one not counted', async () => {
    const script = `
      const { parentPort, workerData, resourceLimits } = require('node:worker_threads')
      parentPort.postMessage([require('node:v8').getHeapStatistics().heap_size_limit, resourceLimits])`
    const worker = new Worker(script, { eval: true, resourceLimits: { maxOldGenerationSizeMb: 64 } })
    const [heapLimit, workerLimits] = await new Promise<[number, object]>((resolve) => worker.once('message', resolve))
    const read = (): undefined => undefined
    const memory = new SystemMemory(readAllowance({ ram: RAM, heapLimit, workerLimits, nodeOptions: [], read }), read)
    expect(memory.heap().limit).toBe(64 * MIB)
  })
})
