import type { CacheSettings, Settings } from '../base/settings.ts'
import type { Database } from '../persist/reader.ts'

/* Settings out of JSON, where null stands for `Infinity` (and, in place of a whole cache's settings, for none). */

/** Settings as a run's row has them. */
export function readSettings(json: string): Settings {
  return withInfinity(JSON.parse(json) as Settings)
}

const SELECT_SETTINGS = 'select settings from runs where id = :runId'

const SELECT_CHANGES = `
  select json_extract(data, '$.to') as change from events
  where run_id = :runId and type = 'configured' and seq < :seq order by seq`

/** The settings that held in a run just before an event of it. */
export function settingsAt(database: Database, runId: number, seq: number): Settings {
  const { settings } = database.prepare(SELECT_SETTINGS).get({ runId }) as { settings: string }
  const changes = database.prepare(SELECT_CHANGES).all({ runId, seq }) as { change: string }[]
  return changes.reduce((now, { change }) => changed(now, change), readSettings(settings))
}

function changed(settings: Settings, json: string): Settings {
  const { caches: cachesChanged, ...rest } = withInfinity(JSON.parse(json) as Partial<Settings>)
  const caches = new Map(Object.entries(settings.caches))
  for (const [name, cache] of Object.entries<CacheSettings | null>(cachesChanged ?? {})) {
    if (cache === null) caches.delete(name)
    else caches.set(name, cache)
  }
  return { ...settings, ...rest, caches: Object.fromEntries(caches) }
}

/** Settings, or some of them, with `Infinity` where JSON has null. */
export function withInfinity<T extends Partial<Settings>>(settings: T): T {
  const restored = infinite(settings)
  if (settings.caches === undefined) return restored
  const caches = Object.entries<CacheSettings | null>(settings.caches)
  return { ...restored, caches: Object.fromEntries(caches.map(([name, cache]) => [name, cache && infinite(cache)])) }
}

/** Limits with `Infinity` where JSON has null. */
export function infinite<T extends object>(fields: T): T {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, value === null ? Number.POSITIVE_INFINITY : value]),
  ) as T
}
