import { readFileSync } from 'node:fs'
import { totalmem } from 'node:os'
import { getHeapStatistics } from 'node:v8'
import { resourceLimits } from 'node:worker_threads'
import { type ReadText, readCgroupLimits } from './cgroup.ts'

/** One source of what this process may use. */
export interface AllowanceSource {
  readonly source: string
  /** Bytes; `Infinity`: no limit from there. */
  readonly bytes: number
}

/** What this process may use, and which source said so. */
export interface MemoryAllowance {
  readonly bytes: number
  /** Name of the source that won: the smallest. */
  readonly source: string
  readonly sources: readonly AllowanceSource[]
  /** V8's heap limit, in bytes. */
  readonly heapLimit: number
}

/** What an allowance is made from; each part can be given, as tests and other systems do. */
export interface AllowanceInputs {
  /** Bytes of RAM. */
  readonly ram: number
  /** What `process.constrainedMemory()` says: 0, `undefined` or more than RAM for no limit. */
  readonly constrained: number | undefined
  /** V8's heap limit, in bytes. */
  readonly heapLimit: number
  readonly read: ReadText
}

/** What this process may use: the smallest of machine, container and process limits. Never throws. */
export function readAllowance(inputs: Partial<AllowanceInputs> = {}): MemoryAllowance {
  const ram = inputs.ram ?? totalmem()
  const groups = readCgroupLimits(inputs.read ?? readText)
  // Optional in Node's types, and absent on some platforms.
  const constrained = 'constrained' in inputs ? inputs.constrained : process.constrainedMemory?.()
  const sources: readonly AllowanceSource[] = [
    { source: 'machine RAM', bytes: ram },
    { source: 'cgroup v2 memory.max', bytes: limitBelow(ram, groups.v2) },
    { source: 'cgroup v1 memory.limit_in_bytes', bytes: limitBelow(ram, groups.v1) },
    { source: 'process.constrainedMemory()', bytes: limitBelow(ram, constrained) },
  ]
  const winner = sources.reduce((least, source) => (source.bytes < least.bytes ? source : least))
  return { bytes: winner.bytes, source: winner.source, sources, heapLimit: inputs.heapLimit ?? heapLimit() }
}

/** The limit, where it is one: positive, and below what the machine has. */
function limitBelow(ram: number, limit: number | undefined): number {
  return limit !== undefined && limit > 0 && limit < ram ? limit : Number.POSITIVE_INFINITY
}

const MIB = 1024 ** 2

/** V8's limit for this thread; of a worker, no more than its `resourceLimits`, which `--max-old-space-size` hides. */
function heapLimit(): number {
  const limit = getHeapStatistics().heap_size_limit
  const { maxOldGenerationSizeMb, maxYoungGenerationSizeMb = 0 } = resourceLimits
  if (maxOldGenerationSizeMb === undefined || !(maxOldGenerationSizeMb > 0)) return limit
  return Math.min(limit, (maxOldGenerationSizeMb + maxYoungGenerationSizeMb) * MIB)
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
