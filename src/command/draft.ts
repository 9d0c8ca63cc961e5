import { InvalidEntryError } from '../base/errors.ts'
import { entryOverhead } from '../base/memory/estimate.ts'
import { HeapEstimate } from '../base/memory/heap.ts'
import { payloadSize } from '../base/memory/payload.ts'
import type { SizeFunction } from '../base/options.ts'
import type { PolicyName } from '../base/settings.ts'
import type { Stored } from '../event/catalogue.ts'
import type { Attribution } from './actor.ts'
import { checkSize } from './entry-options.ts'

/**
 * What a `put` is about to store, filled in anew by each: `charge` finds what the entry costs (what the call states,
 * else what the configured sizing says), `annotate` adds the rest.
 */
export class Draft implements Stored {
  size = 0
  /** As far as an estimate says; 0 where the caller or the caller's function gave the size. */
  offHeap = 0
  expiresAt = 0
  cost = 0
  tags: readonly string[] | null = null
  prefix: string | null = null
  actor: string | null = null
  traceId: string | null = null
  private readonly sizing: 'heap' | 'payload' | SizeFunction
  private readonly estimate = new HeapEstimate()

  constructor(sizing: 'heap' | 'payload' | SizeFunction) {
    this.sizing = sizing
  }

  /** @throws {InvalidEntryError} where a size is no integer ≥ 0, or the size function throws. */
  charge(key: string, value: unknown, stated: number | undefined, policy: PolicyName): void {
    if (stated !== undefined) {
      checkSize(stated, 'size')
      this.size = stated
      this.offHeap = 0
      return
    }
    const { sizing, estimate } = this
    if (sizing === 'heap') {
      estimate.measure(value)
      this.size = estimate.size + entryOverhead(key, policy)
      this.offHeap = estimate.offHeap
    } else if (sizing === 'payload') {
      this.size = payloadSize(value)
      this.offHeap = 0
    } else {
      const size = ask(sizing, value, key)
      checkSize(size, 'the size function returned')
      this.size = size
      this.offHeap = 0
    }
  }

  /** What the last charge took where sizes are estimated, as `HeapEstimate` says. */
  get reads(): number {
    return this.estimate.reads
  }

  annotate(
    expiresAt: number,
    cost: number,
    tags: readonly string[] | null,
    prefix: string | null,
    by: Attribution,
  ): void {
    this.expiresAt = expiresAt
    this.cost = cost
    this.tags = tags
    this.prefix = prefix
    this.actor = by.actor
    this.traceId = by.traceId
  }
}

function ask(sizing: SizeFunction, value: unknown, key: string): unknown {
  try {
    return sizing(value, key)
  } catch (error) {
    throw new InvalidEntryError('ERR_MUNINN_SIZE', 'the size function threw; nothing was stored', { cause: error })
  }
}
