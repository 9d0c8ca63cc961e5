import { OptionError } from '../base/errors.ts'
import type { CacheSettings, PolicyName, Settings } from '../base/settings.ts'
import { MemoryManager } from '../command/memory-manager.ts'
import type { Held, Repetition } from '../command/repetition.ts'
import type { MuninnEvent, Started } from '../event/catalogue.ts'

/** What is to be other than it was; what is left out stays. */
export interface Otherwise {
  policy?: PolicyName
  maxItems?: number
  /** Bytes. */
  maxMemory?: number
}

/** A recorded run, once more, under another policy or other limits. */
export class RecordedRun {
  readonly memory: MemoryManager
  private readonly repetition: Repetition
  private now: number

  constructor(started: Pick<Started, 'settings' | 'seed' | 'at'>, otherwise: Otherwise) {
    const held = new Set<'policy' | 'maxItems' | 'maxMemory' | 'maxHeap'>()
    for (const name of ['policy', 'maxItems', 'maxMemory'] as const) if (otherwise[name] !== undefined) held.add(name)
    if (held.has('maxMemory')) held.add('maxHeap')
    this.now = started.at
    this.memory = new MemoryManager({
      ...optionsOf({ ...started.settings, ...otherwise }),
      ...(otherwise.maxMemory === undefined ? {} : { maxHeap: scaledHeap(started.settings, otherwise.maxMemory) }),
      seed: started.seed,
      clock: { now: () => this.now },
    })
    this.repetition = this.memory.repetition(held as Held)
  }

  get requests(): number {
    return this.repetition.requests
  }

  get hits(): number {
    return this.repetition.hits
  }

  repeat(event: MuninnEvent): void {
    this.now = event.at
    this.repetition.repeat(event)
  }

  close(): Promise<void> {
    return this.memory.close()
  }
}

/** The heap budget keeps its share of the memory budget. */
function scaledHeap({ maxHeap, maxMemory }: Settings, to: number): number {
  if (!(to >= 1)) throw new OptionError('maxMemory', `${to} is not a number of bytes of 1 or more`)
  return Number.isFinite(maxHeap) ? Math.max(1, Math.floor((maxHeap / maxMemory) * to)) : maxHeap
}

/** Resolved settings as options; sizes are the recorded ones, and this process's own memory is no matter. */
function optionsOf({ sizing: _, caches, ...options }: Settings) {
  const own = Object.entries(caches).map(([name, cache]) => [name, below(cache, options)] as const)
  return { ...options, pressure: false, caches: Object.fromEntries(own) }
}

/** A cache's own limit above that of all never binds, and is no option beside it. */
function below({ maxItems, maxMemory, ttl }: CacheSettings, whole: Omit<Settings, 'sizing' | 'caches'>): CacheSettings {
  return {
    maxItems: maxItems > whole.maxItems ? Number.POSITIVE_INFINITY : maxItems,
    maxMemory: maxMemory > whole.maxMemory ? Number.POSITIVE_INFINITY : maxMemory,
    ttl,
  }
}
