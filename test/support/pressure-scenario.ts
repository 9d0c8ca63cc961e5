import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { chance } from './chance.ts'

/** One program of `pressure-child.mjs`: what its cache is fed with, and what the rest of it takes. */
export interface Scenario {
  readonly seed: number
  /** The old generation's limit, in MB. */
  readonly heapMb: number
  /** Where the limit is another than that by which the rest of the program takes its share. */
  readonly limitMb?: number
  readonly worker: boolean
  /** MB of the control group that it runs in; 0: none. */
  readonly groupMb: number
  readonly ms: number
  readonly shape: string
  /** Sizes are from 1 to this, most of them small. */
  readonly size: number
  /** Distinct keys; 0: every add has a new one. */
  readonly keys: number
  readonly reads: number
  readonly sizing: 'heap' | 'payload' | 'function' | 'stated'
  readonly options: Readonly<Record<string, unknown>>
  /** Adds between two looks at the time, ms of synchronous work in one go, ms of rest (0: one turn). */
  readonly rhythm: { readonly burst: number; readonly between: number; readonly pause: number }
  readonly own: {
    readonly kind: 'growing' | 'sawtooth'
    readonly share: number
    readonly step: number
    readonly garbage: number
    readonly inside: boolean
  }
}

const SHAPES = [
  'any',
  'any',
  'short strings',
  'strings',
  'two-byte strings',
  'large strings',
  'flat objects',
  'nested objects',
  'records with many keys',
  'arrays of numbers',
  'arrays of doubles',
  'maps',
  'sets',
  'dates and patterns',
  'parsed JSON',
  'small Buffers',
  'large Buffers',
  'typed arrays',
  'numbers',
]

/** Neighbouring seeds must not make neighbouring scenarios. */
function mixed(seed: number): number {
  let bits = Math.imul(seed ^ (seed >>> 16), 0x45d9f3b)
  bits = Math.imul(bits ^ (bits >>> 16), 0x45d9f3b)
  return (bits ^ (bits >>> 16)) >>> 0
}

/** The scenario of a seed: any shape at any rate, beside a program that takes up to 60 % of the heap. */
export function scenarioOf(seed: number, ms: number, groups: boolean): Scenario {
  const dice = chance(mixed(seed))
  const one = <T>(of: readonly T[]): T => of[dice(of.length)] as T
  const inGroup = groups && dice(6) === 0
  // A container holds the heap limit, the young generation, Node itself and Buffers: the heap is a third of it.
  const groupMb = inGroup ? one([192, 288, 384]) : 0
  const worker = !inGroup && dice(4) === 0
  return {
    seed,
    heapMb: worker ? one([64, 128, 256]) : groupMb > 0 ? groupMb / 3 : 256,
    worker,
    groupMb,
    ms,
    shape: inGroup ? one(['small Buffers', 'large Buffers', 'typed arrays', 'any']) : one(SHAPES),
    size: one([50, 1_000, 4_000]),
    keys: one([0, 0, 0, 500, 20_000]),
    reads: one([0, 0, 1, 5]),
    sizing: one(['heap', 'heap', 'heap', 'payload', 'function', 'stated']),
    options: {
      policy: one(['hybrid', 'lru', 'lfu', 'ttl', 'size']),
      onFull: one(['evict', 'evict', 'evict', 'reject']),
      // Of a container, no more than it takes to leave what malloc keeps of small Buffers that were freed.
      ...(inGroup
        ? one([{}, { maxMemory: '30%' }])
        : one([{}, {}, { maxMemory: '50%' }, { maxMemory: '100%' }, { maxMemory: '8GB', maxHeap: '100%' }])),
      ...one([{}, {}, { evictionThreshold: 1 }]),
    },
    rhythm: { burst: one([0, 1, 20, 400, 1e9]), between: one([1, 20, 200]), pause: one([0, 0, 1, 20]) },
    own: {
      kind: one(['growing', 'growing', 'sawtooth']),
      share: one([0, 0.4, 0.6, 0.6]),
      step: one([2, 8, 32]),
      garbage: one([0, 0, 1, 8]),
      inside: dice(2) === 0,
    },
  }
}

/** Whether it takes so much at once that pressure comes within seconds, on a slow machine too. */
export function isHarsh({ heapMb, keys, own, rhythm, sizing }: Scenario): boolean {
  const taken = own.share === 0.6 && own.step === 32 && own.kind === 'growing' && own.inside
  return taken && heapMb <= 128 && keys === 0 && rhythm.burst >= 20 && rhythm.between <= 20 && sizing === 'heap'
}

/**
 * The same program under the same budget, with heap enough for everything; `null` where there is none: a cache whose sizes are
 * lies has no bound but the pressure, and where memory came from elsewhere than the heap more of it does nothing.
 */
export function unpressured(scenario: Scenario, { budget }: PressureReport): Scenario | null {
  if (scenario.worker || scenario.groupMb > 0 || scenario.sizing !== 'heap') return null
  const options = { ...scenario.options, ...budget, pressure: false }
  return { ...scenario, options, limitMb: 8 * scenario.heapMb }
}

/** What became of it: its report, or how it died. */
export interface Outcome {
  readonly died: string | null
  readonly errors: string
  readonly report: PressureReport | null
}

export interface PressureReport {
  readonly adds: number
  readonly stored: number
  readonly addsPerSecond: number
  readonly causes: Readonly<Record<string, number>>
  readonly bytes: number
  readonly budget: { readonly maxMemory: number; readonly maxHeap: number }
  readonly imbalances: number
  readonly changes: number
  readonly pressure: { readonly active: boolean }
  readonly peak: { readonly afterCollection: number; readonly rss: number }
}

const CHILD = fileURLToPath(new URL('pressure-child.mjs', import.meta.url))

export async function play(scenario: Scenario): Promise<Outcome> {
  const group = scenario.groupMb === 0 ? null : new ControlGroup(`muninn-${process.pid}-${scenario.seed}`)
  group?.limit(scenario.groupMb * 1024 ** 2)
  const heap = scenario.worker ? [] : [`--max-old-space-size=${scenario.limitMb ?? scenario.heapMb}`]
  const program = [process.execPath, ...heap, CHILD, JSON.stringify(scenario)]
  const [command = '', ...args] = group === null ? program : group.entering(program)
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, NODE_OPTIONS: '' } })
  let told = ''
  let errors = ''
  child.stdout.on('data', (text) => {
    told += text
  })
  child.stderr.on('data', (text) => {
    errors += text
  })
  const died = await new Promise<string | null>((resolve) => {
    child.once('close', (code, signal) => resolve(code === 0 ? null : `${signal ?? `exit code ${code}`}`))
  })
  group?.remove()
  return { died, errors, report: died === null && told !== '' ? JSON.parse(told) : null }
}

/** A control group of memory, of whichever version can be made here. */
export class ControlGroup {
  readonly path: string
  private readonly version: 1 | 2

  constructor(name: string) {
    this.version = existsSync(`${V1}/memory.limit_in_bytes`) ? 1 : 2
    this.path = `${this.version === 1 ? V1 : V2}/${name}`
    mkdirSync(this.path)
  }

  get limitFile(): string {
    return `${this.path}/${this.version === 1 ? 'memory.limit_in_bytes' : 'memory.max'}`
  }

  /** What is written for no limit. */
  get none(): string {
    return this.version === 1 ? '-1' : 'max'
  }

  limit(bytes: number): void {
    writeFileSync(this.limitFile, `${bytes}`)
  }

  /** The command that runs a program in it. */
  entering(program: readonly string[]): string[] {
    return ['/bin/sh', '-c', `echo $$ > '${this.path}/cgroup.procs' && exec "$@"`, 'sh', ...program]
  }

  remove(): void {
    rmdirSync(this.path)
  }

  /** Whether this machine lets us make one; most containers don't. */
  static get canBeMade(): boolean {
    try {
      const group = new ControlGroup(`muninn-probe-${process.pid}`)
      try {
        group.limit(1024 ** 3)
        return true
      } finally {
        group.remove()
      }
    } catch {
      return false
    }
  }
}

const V1 = '/sys/fs/cgroup/memory'
const V2 = '/sys/fs/cgroup'
