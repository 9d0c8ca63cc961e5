import { signal } from '@preact/signals'
import type { Sample, Timeline, Top } from '../api/answers.ts'
import { ask } from '../api/client.ts'
import type { Remembered } from './logged-rates.ts'

/** `null`: not answered yet, or there is no log. */
export const remembered = signal<Remembered | null>(null)

/** Asks the log, for a run that the page sees for the first time. */
export async function remember(): Promise<void> {
  remembered.value = null
  const past = { since: '-5m', until: 'now' }
  try {
    const [{ samples }, { items: minutes }, { items: prefixes }] = await Promise.all([
      ask<{ samples: readonly Sample[] }>('api/cache/memory/history', { query: { ...past, limit: 1000 } }),
      ask<Timeline>('api/audit/timeline', { query: { ...past, every: '1m' } }),
      ask<{ items: readonly Top[] }>('api/audit/top', { query: { ...past, since: '-1m', limit: 1000 } }),
    ])
    const evictedByCache = new Map<string, number>()
    for (const { cache, evicted } of prefixes) evictedByCache.set(cache, (evictedByCache.get(cache) ?? 0) + evicted)
    const checks = samples.toSorted((a, b) => a.at.localeCompare(b.at))
    remembered.value = { at: Date.now(), checks, minutes, evictedByCache }
  } catch {
    // The curves begin now, then.
  }
}
