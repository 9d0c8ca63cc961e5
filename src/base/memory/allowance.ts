import { readFileSync } from 'node:fs'
import { totalmem } from 'node:os'
import { getHeapStatistics } from 'node:v8'
import { resourceLimits } from 'node:worker_threads'
import { type ReadText, readCgroupLimits } from './cgroup.ts'
import { readUserLimits } from './user-limits.ts'

/** One source of what this process, or its heap, may use. */
export interface AllowanceSource {
  readonly source: string
  /** Bytes; `Infinity`: no limit from there. */
  readonly bytes: number
}

/** What this process may use, and which sources said so; the heap apart, since its limit says nothing of Buffers. */
export interface MemoryAllowance {
  readonly bytes: number
  /** Name of the source that won: the smallest. */
  readonly source: string
  readonly sources: readonly AllowanceSource[]
  /** What the V8 heap may use, in bytes. */
  readonly heapLimit: number
  readonly heapSource: string
  readonly heapSources: readonly AllowanceSource[]
}

/** What an allowance is made from; each part can be given, as tests and other systems do. */
export interface AllowanceInputs {
  /** Bytes of RAM. */
  readonly ram: number
  /** What `process.constrainedMemory()` says: 0, `undefined` or more than RAM for no limit. */
  readonly constrained: number | undefined
  /** V8's heap limit, in bytes. */
  readonly heapLimit: number
  /** Node's options, from the command line and `NODE_OPTIONS`. */
  readonly nodeOptions: readonly string[]
  /** A worker's `resourceLimits`; empty in the main thread. */
  readonly workerLimits: { readonly maxOldGenerationSizeMb?: number; readonly maxYoungGenerationSizeMb?: number }
  readonly read: ReadText
}

const MIB = 1024 ** 2

/** What this process may use: the smallest of machine, container and process limits. Never throws. */
export function readAllowance(inputs: Partial<AllowanceInputs> = {}): MemoryAllowance {
  const ram = inputs.ram ?? totalmem()
  const read = inputs.read ?? readText
  const groups = readCgroupLimits(read)
  const user = readUserLimits(read)
  // Optional in Node's types, and absent on some platforms.
  const constrained = 'constrained' in inputs ? inputs.constrained : process.constrainedMemory?.()
  const sources: readonly AllowanceSource[] = [
    { source: 'machine RAM', bytes: ram },
    { source: 'cgroup v2 memory.max', bytes: limitBelow(ram, groups.v2) },
    { source: 'cgroup v2 memory.high', bytes: limitBelow(ram, groups.high) },
    { source: 'cgroup v1 memory.limit_in_bytes', bytes: limitBelow(ram, groups.v1) },
    { source: 'process.constrainedMemory()', bytes: limitBelow(ram, constrained) },
    { source: 'ulimit -v (address space)', bytes: limitBelow(ram, user.addressSpace) },
    { source: 'ulimit -d (data)', bytes: limitBelow(ram, user.data) },
  ]
  const heapSources = readHeapSources(inputs)
  const winner = smallest(sources)
  const heap = smallest(heapSources)
  return {
    bytes: winner.bytes,
    source: winner.source,
    sources,
    heapLimit: heap.bytes,
    heapSource: heap.source,
    heapSources,
  }
}

/** V8 says of a worker under `--max-old-space-size` what holds for the main thread: the smallest counts. */
function readHeapSources(inputs: Partial<AllowanceInputs>): readonly AllowanceSource[] {
  const { maxOldGenerationSizeMb, maxYoungGenerationSizeMb = 0 } = inputs.workerLimits ?? resourceLimits
  const ofWorker = maxOldGenerationSizeMb === undefined ? 0 : maxOldGenerationSizeMb + maxYoungGenerationSizeMb
  return [
    { source: 'V8 heap limit', bytes: inputs.heapLimit ?? getHeapStatistics().heap_size_limit },
    { source: '--max-old-space-size', bytes: positive(oldSpaceOption(inputs.nodeOptions ?? nodeOptions()) * MIB) },
    { source: 'worker resourceLimits', bytes: positive(ofWorker * MIB) },
  ]
}

function nodeOptions(): readonly string[] {
  return [...(process.env.NODE_OPTIONS ?? '').split(/\s+/), ...process.execArgv]
}

/** MB; `NaN` where it isn't given. The last one counts, and V8 takes `_` for `-`. */
function oldSpaceOption(options: readonly string[]): number {
  let megabytes = Number.NaN
  for (const [index, option] of options.entries()) {
    const found = /^--max[-_]old[-_]space[-_]size(?:=(.*))?$/.exec(option)
    if (found !== null) megabytes = Number.parseInt(found[1] ?? options[index + 1] ?? '', 10)
  }
  return megabytes
}

function smallest(sources: readonly AllowanceSource[]): AllowanceSource {
  return sources.reduce((least, source) => (source.bytes < least.bytes ? source : least))
}

/** The limit, where it is one: positive, and below what the machine has. */
function limitBelow(ram: number, limit: number | undefined): number {
  return limit !== undefined && limit > 0 && limit < ram ? limit : Number.POSITIVE_INFINITY
}

function positive(limit: number): number {
  return limit > 0 ? limit : Number.POSITIVE_INFINITY
}

/** A file's text, or `undefined` where it can't be read. */
export function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
