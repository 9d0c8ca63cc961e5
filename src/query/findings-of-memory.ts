import type { Finding } from './analyses.ts'
import { toBytes, toShare } from './binding-limit.ts'
import type { CacheFacts, Checkup, Facts } from './facts.ts'
import { bytesInWords, countInWords, percentInWords, quoted } from './words.ts'

/** A healthy full cache enters the first level once a run, which isn't counted; so often is no longer that. */
const MANY_WARNINGS = 5
/** Rows from which on a trend is one; its growth as a share and in bytes, and how much of it the cache must not be. */
const TREND_ROWS = 8
const GREW = 1.3
const GREW_BYTES = 64 * 1024 ** 2
const CACHE_PART = 0.5
/** Share of a cache's bytes that one prefix stored, and of the others' evicted entries that were asked for again. */
const CROWDS = 0.6
const SUFFER = 0.1
const ENOUGH = 50
/** Refused adds that are no longer an exception. */
const MANY_REFUSED = 100

/** Memory warnings: levels above the first, or one that comes again and again. */
export function memoryWarnings({ warnings, settings }: Facts): Checkup {
  const high = warnings.filter(({ level }) => level !== 'warning')
  const looked = `levels entered, but for the first warning of each run: ${warnings.length}, of them ${high.length} critical or emergency (many: ${MANY_WARNINGS} in all, or one of those)`
  const last = high.at(-1) ?? warnings.at(-1)
  if (last === undefined || (high.length === 0 && warnings.length < MANY_WARNINGS)) return { findings: [], looked }
  const [writer] = [...last.since.writers].sort((a, b) => b.bytes - a.bytes)
  const evidence = [
    `${countInWords(warnings.length, 'level')} entered, ${high.length} of them critical or emergency; the last at ${percentInWords(last.usage)} of the budget.`,
  ]
  if (writer !== undefined) {
    evidence.push(
      `Before it, prefix ${quoted(writer.prefix)} of cache ${quoted(writer.cache)} stored ${bytesInWords(writer.bytes)} of ${bytesInWords(last.since.bytesAdded)}.`,
    )
  }
  const common = {
    finding: 'memory warnings',
    cache: null,
    severity: high.length > 0 ? 'critical' : 'warning',
    evidence,
  } as const
  if (settings.onFull === 'reject') {
    return {
      looked,
      findings: [
        {
          ...common,
          setting: 'onFull',
          from: 'reject',
          to: 'evict',
          value: 'evict',
          advice: 'Nothing makes room: let adds evict.',
        },
      ],
    }
  }
  if (settings.evictionThreshold >= 0.9) {
    return {
      looked,
      findings: [
        {
          ...common,
          ...toShare('evictionThreshold', settings.evictionThreshold, 0.85),
          advice: 'Cycles begin where the critical level does, or never: let them begin earlier.',
        },
      ],
    }
  }
  const { maxMemory } = settings
  return {
    looked,
    findings: [
      {
        ...common,
        ...toBytes('maxMemory', maxMemory, maxMemory * 2),
        advice: 'What is written does not fit: raise the budget, or have that writer store less.',
      },
    ],
  }
}

/** A process that grows while its caches don't: a leak elsewhere. */
export function growingProcess({ memory }: Facts): Checkup {
  const quarter = Math.floor(memory.length / 4)
  const mean = (rows: Facts['memory'], of: 'rss' | 'bytes') =>
    rows.reduce((sum, row) => sum + row[of], 0) / Math.max(1, rows.length)
  // The first quarter is the start of the process, in which everything grows.
  const before = memory.slice(quarter, 2 * quarter)
  const after = memory.slice(memory.length - quarter)
  const [from, to] = [mean(before, 'rss'), mean(after, 'rss')]
  const looked =
    memory.length < TREND_ROWS
      ? `the process's memory: too few checks for a trend (${memory.length} of ${TREND_ROWS})`
      : `the process's memory: from ${bytesInWords(Math.round(from))} to ${bytesInWords(Math.round(to))} (growing: by ${percentInWords(GREW - 1)} and ${bytesInWords(GREW_BYTES)}, the caches not)`
  const cacheGrew = mean(after, 'bytes') - mean(before, 'bytes')
  const isGrowing = to >= from * GREW && to - from >= GREW_BYTES && cacheGrew < (to - from) * CACHE_PART
  if (memory.length < TREND_ROWS || !isGrowing) return { findings: [], looked }
  return {
    looked,
    findings: [
      {
        finding: 'growing process',
        cache: null,
        severity: 'warning',
        evidence: [
          `The process grew from ${bytesInWords(Math.round(from))} to ${bytesInWords(Math.round(to))}, while the caches grew by ${bytesInWords(Math.max(0, Math.round(cacheGrew)))}.`,
        ],
        setting: 'NODE_OPTIONS',
        from: 'without it',
        to: '--heapsnapshot-near-heap-limit=1',
        value: null,
        advice: 'Something besides the caches holds memory: a heap snapshot says what.',
      },
    ],
  }
}

/** One key prefix that stores most, while the others' entries go and are asked for again. */
export function crowding(facts: Facts): Checkup {
  const looks = facts.caches.map((cache) => crowdingOf(facts, cache))
  return {
    findings: looks.flatMap(({ finding }) => (finding === null ? [] : [finding])),
    looked: `who writes: ${looks.map(({ looked }) => looked).join('; ') || 'nobody'} (crowding: ${percentInWords(CROWDS)} of a cache's bytes, while ${percentInWords(SUFFER)} of what is evicted of others is asked for again)`,
  }
}

function crowdingOf({ settings }: Facts, cache: CacheFacts): { finding: Finding | null; looked: string } {
  const [first] = cache.writers
  const added = cache.writers.reduce((sum, { bytes }) => sum + bytes, 0)
  const name = quoted(cache.name)
  if (first === undefined || added === 0) return { finding: null, looked: `${name} nothing known` }
  const share = first.bytes / Math.max(added, cache.traffic.bytesAdded)
  const others = cache.byPrefix.filter(({ prefix }) => prefix !== first.prefix)
  const evicted = others.reduce((sum, { count }) => sum + count, 0)
  const regretted = others.reduce((sum, row) => sum + row.regretted, 0)
  const looked = `${name} ${percentInWords(share)} by ${quoted(first.prefix)}`
  if (share < CROWDS || evicted < ENOUGH || regretted / evicted < SUFFER) return { finding: null, looked }
  const half = Math.min(settings.maxMemory, settings.caches[cache.name]?.maxMemory ?? settings.maxMemory) / 2
  const own = first.prefix === '' ? 'others' : first.prefix
  return {
    looked,
    finding: {
      finding: 'crowding prefix',
      cache: cache.name,
      severity: 'warning',
      evidence: [
        `Prefix ${quoted(first.prefix)} stored ${percentInWords(share)} of the bytes of cache ${name}.`,
        `Of other prefixes ${countInWords(evicted, 'entry was', 'entries were')} evicted, and ${percentInWords(regretted / evicted)} of them asked for again.`,
      ],
      setting: `caches.${own}.maxMemory`,
      from: 'no such cache',
      to: bytesInWords(half),
      // A limit alone moves no key into it.
      value: null,
      advice: `Keep keys of prefix ${quoted(first.prefix)} in a cache of their own, with a limit of its own.`,
    },
  }
}

/** Items that no eviction makes room for. */
export function tooLarge({ caches, largeRefusal, settings }: Facts): Checkup {
  const found = caches.filter((cache) => (cache.tooLarge?.count ?? 0) > 0)
  const count = found.reduce((sum, cache) => sum + (cache.tooLarge?.count ?? 0), 0)
  const looked = `items larger than a limit: ${count}`
  return {
    looked,
    findings: found.map((cache) => {
      const { count: refused, bytes } = cache.tooLarge as NonNullable<CacheFacts['tooLarge']>
      const mean = Math.round(bytes / refused)
      const evidence = [
        `${countInWords(refused, 'item was', 'items were')} refused in cache ${quoted(cache.name)} as too large, ${bytesInWords(mean)} on average.`,
      ]
      const own = largeRefusal?.cache === cache.name ? largeRefusal : null
      if (own !== null) {
        evidence.push(
          `The last: ${quoted(own.key)}, ${bytesInWords(own.size)}; the limit "${own.limitName}" allows ${bytesInWords(own.limit)}.`,
        )
      }
      const setting =
        { 'cache-memory': `caches.${cache.name}.maxMemory`, heap: 'maxHeap' }[own?.limitName ?? ''] ?? 'maxMemory'
      const limit = own?.limit ?? settings.maxMemory
      return {
        finding: 'too-large items',
        cache: cache.name,
        severity: 'warning',
        evidence,
        // Room for it beside others: an item that takes the whole evicts everything.
        ...toBytes(setting, limit, 4 * Math.max(mean, own?.size ?? 0)),
        advice: 'Store it in parts, or give it room: an item should be a fraction of the budget.',
      } as const
    }),
  }
}

/** Adds that were refused because nothing may be evicted for them. */
export function refusedAdds({ caches, settings }: Facts): Checkup {
  const count = caches.reduce((sum, { refused }) => sum + refused, 0)
  const looked = `adds refused for want of room: ${count} (many: ${MANY_REFUSED})`
  if (count < MANY_REFUSED) return { findings: [], looked }
  return {
    looked,
    findings: [
      {
        finding: 'refused adds',
        cache: null,
        severity: 'warning',
        evidence: [
          `${countInWords(count, 'add was', 'adds were')} refused: a limit was reached, and nothing might be evicted.`,
        ],
        setting: 'onFull',
        from: settings.onFull,
        to: 'evict',
        value: 'evict',
        advice: 'Let adds make room; or raise the limit, if what is there must stay.',
      },
    ],
  }
}
