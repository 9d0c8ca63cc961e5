/* A batch as rows, table by table: what the writer binds. `Infinity` is null in them. */

export type Value = string | number | null

export const EVICTION_COLUMNS = [
  'seq',
  'at',
  'cache',
  'key',
  'cause',
  'policy',
  'size',
  'hits',
  'stored_at',
  'stored_by',
  'age',
  'idle',
  'ttl_left',
  'cost',
  'score',
  'runner_up',
  'runner_up_score',
  'trigger_cache',
  'trigger_key',
  'trigger_size',
  'cycle',
  'mode',
  'mode_since',
] as const

/** In the order of `EVICTION_COLUMNS`. */
export type EvictionRow = Value[]

export type KeyRow = [seq: number, at: number, type: string, cache: string, key: string, data: Record<string, unknown>]

export type EventRow = [seq: number, at: number, type: string, cache: string | null, data: Record<string, unknown>]

/** A first miss that regrets an eviction: the eviction's `seq`; of the miss, when, what and its own `seq`. */
export type RegretRow = [regret: number, at: number, cache: string, key: string, seq: number]

export interface Rows {
  evictions: EvictionRow[]
  keyEvents: KeyRow[]
  events: EventRow[]
  regrets: RegretRow[]
  /** Prefixes by the user's own rule, by `seq`; `null`: the default rule holds. */
  prefixes: Map<number, string> | null
}
