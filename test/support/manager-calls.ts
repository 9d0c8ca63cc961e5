import { entryOverhead } from '../../src/base/memory/estimate.ts'
import { HeapEstimate } from '../../src/base/memory/heap.ts'
import type { CacheOptions, MemoryManagerOptions } from '../../src/base/options.ts'
import type { SetOptions } from '../../src/command/entry-options.ts'
import type { EvictOptions } from '../../src/command/memory-manager.ts'
import type { LimitOptions } from '../../src/command/settings-change.ts'
import type { CacheSpec, Command, Config, LimitsSpec, StoreSpec } from './manager-commands.ts'
import type { Store } from './reference-contents.ts'

/** Virtual time that a test moves, backwards and to NaN as well. */
export class HandClock {
  time: number
  /** ms that pass with each look at it. */
  tick = 0

  constructor(time: number) {
    this.time = time
  }

  now(): number {
    this.time += this.tick
    return this.time
  }
}

/** A value that can be changed after it was stored. */
export type Box = [content: string | Uint8Array]

export function isBox(value: unknown): value is Box {
  return Array.isArray(value)
}

/** A size function of any user's making. */
function weigh(value: unknown, key: string): number {
  const content = isBox(value) ? value[0] : value
  return ((typeof content === 'string' || content instanceof Uint8Array ? content.length : 3) + key.length) % 50
}

export function optionsOf(config: Config, clock: HandClock): MemoryManagerOptions {
  const { scale, maxMemory, maxHeap, sizing, caches, evictionTarget, mostFilled, startsAt, ...rest } = config
  return {
    ...rest,
    maxMemory: maxMemory * scale,
    ...(maxHeap === undefined ? {} : { maxHeap: maxHeap * scale }),
    ...(evictionTarget === undefined ? {} : { evictionTarget }),
    sizing: sizing === 'function' ? weigh : sizing,
    caches: Object.fromEntries(
      Object.entries(caches).map(([name, cache]) => [name, cacheOptionsOf(cache, scale, maxMemory)]),
    ),
    clock,
    seed: 20_240_501,
  }
}

/** A limit above `whole`, the one over all caches that is stated with it, would be refused. */
export function cacheOptionsOf(spec: CacheSpec, scale: number, whole = Number.POSITIVE_INFINITY): CacheOptions {
  return spec.maxMemory === undefined ? { ...spec } : { ...spec, maxMemory: Math.min(spec.maxMemory, whole) * scale }
}

export function limitOptionsOf(spec: LimitsSpec, scale: number): LimitOptions {
  const { maxMemory, maxHeap, caches, ...rest } = spec
  return {
    ...rest,
    ...(maxMemory === undefined ? {} : { maxMemory: maxMemory * scale }),
    ...(maxHeap === undefined ? {} : { maxHeap: maxHeap * scale }),
    ...(caches === undefined
      ? {}
      : {
          caches: Object.fromEntries(
            Object.entries(caches).map(([name, cache]) => [name, cacheOptionsOf(cache, scale, maxMemory)]),
          ),
        }),
  }
}

export function evictOptionsOf(
  { cache, target, actor }: Extract<Command, { do: 'evict' }>,
  scale: number,
): EvictOptions {
  return {
    ...(cache === undefined ? {} : { cache }),
    ...(target === undefined ? {} : { target: target > 1 ? target * scale : target }),
    ...(actor === undefined ? {} : { actor }),
  }
}

/** A generated store: the value, what is said with it, and what the reference model must take it for. */
export interface Given {
  readonly value: unknown
  readonly options: SetOptions
  readonly store: Store
}

const estimate = new HeapEstimate()

/** @param id tells this value from all others. */
export function givenOf(spec: StoreSpec, key: string, id: number, config: Config): Given {
  const { kind, ttl, cost, tags, actor } = spec
  const value = kind === 'box' ? [contentOf(spec, id, config)] : contentOf(spec, id, config)
  const size = spec.size * config.scale
  const options: SetOptions = {
    ...(kind === 'stated' ? { size } : {}),
    ...(ttl === undefined ? {} : { ttl }),
    ...(cost === undefined ? {} : { cost }),
    ...(tags === undefined ? {} : { tags }),
    ...(actor === undefined ? {} : { actor }),
  }
  const charge = kind === 'stated' ? { size, offHeap: 0 } : chargeOf(value, key, config)
  return {
    value,
    options,
    store: {
      value,
      ...charge,
      isStated: kind === 'stated',
      ttl: ttl === undefined ? undefined : typeof ttl === 'string' ? Number.parseInt(ttl, 10) * 1000 : Math.ceil(ttl),
      cost: cost ?? 0,
      tags: tags ?? [],
      actor: actor ?? null,
    },
  }
}

export function contentOf({ kind, size }: Pick<StoreSpec, 'kind' | 'size'>, id: number, { scale }: Config) {
  const length = size * Math.ceil(scale / 4)
  if (kind === 'bytes') return new Uint8Array(length)
  return kind === 'text' || kind === 'box' ? `${id}é`.padEnd(length, 'x') : id
}

/** What a value costs. Heap estimates have tests of their own, and are taken as they are. */
export function chargeOf(value: unknown, key: string, { sizing, policy }: Config): { size: number; offHeap: number } {
  if (sizing === 'function') return { size: weigh(value, key), offHeap: 0 }
  if (sizing === 'payload') {
    const content = isBox(value) ? value[0] : value
    const size =
      typeof content === 'string' ? Buffer.byteLength(content) : content instanceof Uint8Array ? content.length : 1024
    return { size, offHeap: 0 }
  }
  estimate.measure(value)
  return { size: estimate.size + entryOverhead(key, policy), offHeap: estimate.offHeap }
}
