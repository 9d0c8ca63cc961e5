import { constants, PerformanceObserver } from 'node:perf_hooks'
import { getHeapSpaceStatistics } from 'node:v8'
import { type MemoryAllowance, readText } from './allowance.ts'
import { findLimitingGroup, type LimitingGroup, type ReadText } from './cgroup.ts'
import { readUserLimits } from './user-limits.ts'

/** V8's old generation: where what a cache keeps ends up, and whose limit ends a process. Some 1 µs to read. */
export interface HeapReading {
  /** Bytes in use, garbage included; they only ever fall in a garbage collection of the whole heap. */
  readonly used: number
  /** Bytes in the young generation: what survives of them, the next collection of the whole heap adds to `used`. */
  readonly young: number
  readonly limit: number
}

/** What the process, its container or the machine uses of what limits it. Some 50 µs to read. */
export interface ResidentReading {
  /** Bytes; what the kernel can take back (file caches) is not counted. */
  readonly used: number
  readonly limit: number
  /** Whose figures they are. */
  readonly source: string
  readonly rss: number
  /** Share of the last 10 s, in percent, in which somebody waited for memory (PSI); `null` where it isn't told. */
  readonly stalled: number | null
}

/** A garbage collection, told soon after it ended. */
export interface Collection {
  /** Whether it was of the whole heap. */
  readonly whole: boolean
  /** ms that the process stood still. */
  readonly pause: number
  /** ms since it ended. */
  readonly ago: number
}

/** Readings of this process's memory; injected, since decisions follow from them. */
export interface ProcessMemory {
  heap(): HeapReading
  resident(): ResidentReading
  /** Bytes of the process in RAM. Some 3 µs to read. */
  rss(): number
  /** ms that pass whatever the caches' clock says. */
  uptime(): number
  /** What the process may use was read anew. */
  limitsAre(allowance: MemoryAllowance): void
  /** Tells each garbage collection, until what it returns is called. Nothing is told during synchronous work. */
  onCollection(listener: (collection: Collection) => void): () => void
}

const MIB = 1024 ** 2
/** V8's young generation where nothing is said: three semi-spaces of 16 MB; they count in its heap limit. */
const YOUNG = 48 * MIB
/** Spaces of the young generation: most of what is in them is garbage. */
const YOUNG_SPACES: ReadonlySet<string> = new Set(['new_space', 'new_large_object_space'])

/** This process, as V8, `/proc` and the control groups tell of it. */
export class SystemMemory implements ProcessMemory {
  private readonly read: ReadText
  private allowance: MemoryAllowance
  private group: LimitingGroup | null = null
  private oldLimit = 0

  constructor(allowance: MemoryAllowance, read: ReadText = readText) {
    this.read = read
    this.allowance = allowance
    this.limitsAre(allowance)
  }

  limitsAre(allowance: MemoryAllowance): void {
    this.allowance = allowance
    const group = findLimitingGroup(this.read)
    this.group = group !== null && group.bytes < ramOf(allowance) ? group : null
    const { heapLimit, heapSource } = allowance
    // The option speaks of the old generation alone, the other sources of both.
    this.oldLimit = heapSource === '--max-old-space-size' ? heapLimit : Math.max(heapLimit - YOUNG, heapLimit / 2)
  }

  heap(): HeapReading {
    let used = 0
    let young = 0
    for (const { space_name, space_used_size } of getHeapSpaceStatistics()) {
      if (YOUNG_SPACES.has(space_name)) young += space_used_size
      else used += space_used_size
    }
    return { used, young, limit: this.oldLimit }
  }

  /** Of all that limits the process, what is nearest to its limit. */
  resident(): ResidentReading {
    const rss = this.rss()
    const found = [this.ofGroup(rss), ...this.ofUserLimits()]
    if (this.group === null) found.push(this.ofMachine(rss))
    const nearest = found.reduce((nearer, one) => (one.used / one.limit > nearer.used / nearer.limit ? one : nearer))
    return { ...nearest, rss, stalled: this.stalled() }
  }

  rss(): number {
    return process.memoryUsage.rss()
  }

  uptime(): number {
    return performance.now()
  }

  onCollection(listener: (collection: Collection) => void): () => void {
    return collections.listen(listener)
  }

  /** Without a group: the process itself, beside what it may use. */
  private ofGroup(rss: number): Use {
    const { group } = this
    if (group === null) return { used: rss, limit: this.allowance.bytes, source: this.allowance.source }
    const current = group.version === 2 ? 'memory.current' : 'memory.usage_in_bytes'
    const used = Number.parseInt(this.read(`${group.path}/${current}`) ?? '', 10)
    const source = `cgroup v${group.version} ${current}`
    if (!(used >= 0)) return { used: rss, limit: group.bytes, source }
    const caches = fileCaches(this.read(`${group.path}/memory.stat`) ?? '', group.version)
    return { used: Math.max(0, used - caches), limit: group.bytes, source }
  }

  private ofMachine(rss: number): Use {
    const ram = ramOf(this.allowance)
    const free = /^MemAvailable:\s+(\d+) kB/m.exec(this.read('/proc/meminfo') ?? '')?.[1]
    return {
      used: free === undefined ? rss : Math.max(0, ram - Number(free) * 1024),
      limit: ram,
      source: 'machine RAM',
    }
  }

  private ofUserLimits(): Use[] {
    const { addressSpace, data } = readUserLimits(this.read)
    if (addressSpace === Number.POSITIVE_INFINITY && data === Number.POSITIVE_INFINITY) return []
    const status = this.read('/proc/self/status') ?? ''
    return [
      { used: kilobytes(status, 'VmSize'), limit: addressSpace, source: 'ulimit -v (address space)' },
      { used: kilobytes(status, 'VmData'), limit: data, source: 'ulimit -d (data)' },
    ]
  }

  private stalled(): number | null {
    const path = this.group?.version === 2 ? `${this.group.path}/memory.pressure` : '/proc/pressure/memory'
    const share = /^some avg10=(\d+(?:\.\d+)?)/m.exec(this.read(path) ?? '')?.[1]
    return share === undefined ? null : Number(share)
  }
}

type Use = Pick<ResidentReading, 'used' | 'limit' | 'source'>

function ramOf({ sources, bytes }: MemoryAllowance): number {
  return sources[0]?.bytes ?? bytes
}

function kilobytes(status: string, field: string): number {
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) * 1024
}

/** Bytes of files that the kernel keeps and can drop. */
function fileCaches(stat: string, version: 1 | 2): number {
  const prefix = version === 1 ? 'total_' : ''
  const of = (name: string): number => Number(new RegExp(`^${prefix}${name} (\\d+)$`, 'm').exec(stat)?.[1] ?? 0)
  return of('inactive_file') + of('active_file')
}

/** One observer of garbage collections for all managers of this thread; it is there while somebody listens. */
class Collections {
  private readonly listeners = new Set<(collection: Collection) => void>()
  private observer: PerformanceObserver | null = null

  listen(listener: (collection: Collection) => void): () => void {
    this.listeners.add(listener)
    if (this.observer === null) {
      this.observer = new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) this.tell(entry)
      })
      this.observer.observe({ entryTypes: ['gc'] })
    }
    return () => {
      this.listeners.delete(listener)
      if (this.listeners.size > 0) return
      this.observer?.disconnect()
      this.observer = null
    }
  }

  private tell(entry: { duration: number; startTime: number; detail?: unknown }): void {
    const { kind } = entry.detail as { kind: number }
    const whole = kind === constants.NODE_PERFORMANCE_GC_MAJOR
    const ago = performance.now() - entry.startTime - entry.duration
    for (const listener of this.listeners) listener({ whole, pause: entry.duration, ago })
  }
}

const collections = new Collections()
