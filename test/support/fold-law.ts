import assert from 'node:assert/strict'
import type { MemoryManager } from '../../src/command/memory-manager.ts'
import { cacheOfVictim, evictedEvent, expiredEvent } from '../../src/decide/departure.ts'
import type { Evicted, Expired, MuninnEvent, Started } from '../../src/event/catalogue.ts'
import { apply } from '../../src/fold/apply.ts'
import type { CacheState } from '../../src/fold/cache-state.ts'
import { State } from '../../src/fold/state.ts'

/** No entry. */
const NOBODY = -1

/** What a manager keeps to itself, and the fold law is about. */
interface Internals {
  readonly engine: { readonly state: State }
  readonly started: Started
}

function internalsOf(memory: MemoryManager): Internals {
  return memory as unknown as Internals
}

/** The live state. */
export function stateOf(memory: MemoryManager): State {
  return internalsOf(memory).engine.state
}

/** The `started` event, which precedes every subscriber. */
export function startedOf(memory: MemoryManager): Started {
  return internalsOf(memory).started
}

/** Folds a recorded run into fresh state. */
export function refold(started: Started, events: readonly MuninnEvent[]): State {
  const state = new State(started)
  for (const event of [started, ...events]) apply(state, event)
  return state
}

/** Asserts that folding what was told gives what the live manager knows. */
export function assertFolds(memory: MemoryManager, events: readonly MuninnEvent[]): State {
  const folded = refold(startedOf(memory), events)
  assert.deepEqual(pictureOf(folded), pictureOf(stateOf(memory)), 'the fold of the events is the live state')
  return folded
}

/** All that later decisions and answers may depend on, laid out for comparison; of the index, what it answers. */
export function pictureOf(state: State): unknown {
  const { seq, at, items, bytes, offHeapBytes, heapBytes, settings, usage, stopped, wallOffset, soonestExpiry } = state
  return {
    totals: { seq, at, items, bytes, offHeapBytes, heapBytes, usage, stopped, wallOffset, soonestExpiry },
    settings,
    effective: state.effective,
    policy: state.policy.name,
    levels: state.levels,
    atLevel: { at: state.lastLevelAt, bytes: state.bytesAtLevel, heapBytes: state.heapBytesAtLevel },
    peaks: state.peaks,
    regrets: state.regrets,
    rate: state.evictionRate,
    ages: state.evictionAges,
    cycle: state.cycle,
    division: divisionOf(state),
    cycles: [state.cycles, state.cyclesAtReset],
    warnings: [state.warnings, state.warningsAtReset],
    last: { eviction: state.lastEviction, check: state.lastCheck, reset: state.lastReset },
    dropped: state.dropped,
    caches: [...state.caches.values()].map((cache) => pictureOfCache(state, cache)),
  }
}

/** How the caches divide what they have in common. */
function divisionOf({ division }: State): unknown {
  if (division === null) return null
  const { comparesAt, gain, unit, claims } = division
  return {
    comparesAt,
    gain,
    unit,
    claims: claims.map(({ cache, ...claim }) => ({ ...claim, cache: cache.name })),
  }
}

function pictureOfCache(state: State, cache: CacheState): unknown {
  const first = cache.order.victim(NOBODY)
  const keyOf = (h: number): string | null => (h === NOBODY ? null : (state.columns.keys[h] as string))
  return {
    name: cache.name,
    salt: cache.salt,
    settings: cache.settings,
    items: cache.items,
    bytes: cache.bytes,
    counts: cache.counts,
    atReset: cache.countsAtReset,
    atCheck: { counts: cache.countsAtCheck, writers: cache.writersAtCheck },
    atLevel: { bytesAdded: cache.bytesAddedAtLevel, writers: cache.writersAtLevel },
    writers: cache.writers.counts(),
    lastUpdated: cache.lastUpdated,
    wheelSoonest: cache.wheel?.soonest ?? null,
    mode: cache.order.adapting?.mode ?? null,
    curve: cache.curve,
    standings: cache.order.adapting?.standings ?? null,
    due: keyOf(cache.due(state.at)),
    victim: keyOf(first),
    secondVictim: first === NOBODY ? null : keyOf(cache.order.victim(first)),
    entries: cache.handles().map((h) => entryOf(state, cache, h)),
  }
}

/** What is known of an entry, as its eviction would tell: the layout of the columns is nobody's business. */
function entryOf(state: State, cache: CacheState, h: number): unknown {
  const key = state.columns.keys[h] as string
  assert.equal(cache.index.find(key, state.hasher.hash(key)), h, `the index finds ${JSON.stringify(key)}`)
  return { ...evictionOf(state, cache, h, state.at), tags: state.columns.tags[h] ?? null }
}

/**
 * Takes everything out of a state, as a long eviction at time `at` would: what is due, then one victim after the other,
 * under one budget or cache by cache. Returns who left, in order. The state is empty afterwards.
 */
export function drain(state: State, at: number, ofEachCache: boolean): string[] {
  const left: string[] = []
  const scopes = ofEachCache ? [...state.caches.values()].map((cache) => [cache]) : [[...state.caches.values()]]
  for (const caches of scopes) {
    for (let next = nextOf(state, caches, at); next !== null; next = nextOf(state, caches, at)) {
      left.push(`${next.type} ${next.cache}/${next.key}`)
      apply(state, next)
    }
  }
  assert.deepEqual([state.items, state.bytes, state.offHeapBytes], [0, 0, 0], 'nothing is left')
  return left
}

function nextOf(state: State, caches: readonly CacheState[], at: number): Evicted | Expired | null {
  for (const cache of caches) {
    const due = cache.due(at)
    if (due !== NOBODY) return expiredEvent(state, cache, due, state.seq + 1, at)
  }
  const cache = caches.length === 1 ? (caches[0] as CacheState) : cacheOfVictim(state, NOBODY, 'forced')
  const victim = cache?.order.victim(NOBODY) ?? NOBODY
  return cache === null || victim === NOBODY ? null : evictionOf(state, cache, victim, at)
}

function evictionOf(state: State, cache: CacheState, h: number, at: number): Evicted {
  return evictedEvent(state, cache, h, { cause: 'forced', trigger: null, cycle: null }, state.seq + 1, at)
}
