import { computed, signal } from '@preact/signals'
import type { Memory } from '../api/answers.ts'
import { ApiError, ask, refused } from '../api/client.ts'
import { remember } from './remembered.ts'

/** How it stands with the service. */
export type Connection =
  | { readonly state: 'connecting' }
  | { readonly state: 'live' }
  /** It answered once, and doesn't now. */
  | { readonly state: 'reconnecting'; readonly since: number; readonly why: string }
  | { readonly state: 'token' }

/** A moment of the service, one a second: counts since the run's start or last reset. */
export interface Moment {
  readonly at: number
  readonly run: string
  readonly bytes: number
  readonly usage: number
  readonly heapUsage: number
  readonly items: number
  readonly hits: number
  readonly misses: number
  readonly evictedByCause: Readonly<Record<string, number>>
  readonly caches: Readonly<
    Record<string, { readonly hits: number; readonly misses: number; readonly evicted: number }>
  >
}

const EVERY = 1000
const FIRST_RETRY = 250
const LAST_RETRY = 4000
/** Moments that are kept: ten minutes. */
const KEPT = 600

export const connection = signal<Connection>({ state: 'connecting' })
export const memory = signal<Memory | null>(null)
/** Oldest first. */
export const moments = signal<readonly Moment[]>([])
/** How often the service was seen to begin a new run: what was asked before may be answered otherwise now. */
export const restarts = signal(0)
export const cacheNames = computed(() => memory.value?.caches.map((cache) => cache.name) ?? [])

let timer = 0
let retry = FIRST_RETRY

/** Asks for the figures once a second, and patiently where nobody answers. */
export function watch(): void {
  void step()
}

/** At once, as after a token was given or something was changed. */
export function refresh(): void {
  clearTimeout(timer)
  retry = FIRST_RETRY
  void step()
}

async function step(): Promise<void> {
  clearTimeout(timer)
  try {
    take(await ask<Memory>('api/cache/memory', { signal: AbortSignal.timeout(5000) }))
    if (connection.value.state !== 'live') connection.value = { state: 'live' }
    retry = FIRST_RETRY
    timer = window.setTimeout(step, EVERY)
  } catch (error) {
    if (refused.value !== null) {
      connection.value = { state: 'token' }
      return
    }
    const why = error instanceof ApiError && error.status > 0 ? error.message : 'the service does not answer'
    if (connection.value.state !== 'reconnecting') connection.value = { state: 'reconnecting', since: Date.now(), why }
    timer = window.setTimeout(step, retry)
    retry = Math.min(retry * 2, LAST_RETRY)
  }
}

function take(answer: Memory): void {
  const before = memory.value?.run_id
  if (before !== undefined && before !== answer.run_id) restarts.value++
  memory.value = answer
  const caches = answer.caches.map(
    ({ name, hits, misses, evicted_items }) => [name, { hits, misses, evicted: evicted_items }] as const,
  )
  const moment: Moment = {
    at: Date.now(),
    run: answer.run_id,
    bytes: answer.current_memory_bytes,
    usage: answer.memory_usage_percent / 100,
    heapUsage: answer.heap_usage_percent / 100,
    items: answer.cache_item_count,
    hits: answer.hits,
    misses: answer.misses,
    evictedByCause: answer.evicted_by_cause,
    caches: Object.fromEntries(caches),
  }
  moments.value = [...moments.value.slice(-KEPT + 1), moment]
  if (before !== answer.run_id && answer.audit !== null) void remember()
}
