import { useMemo } from 'preact/hooks'
import { countInWords } from '../../../src/query/words.ts'
import { bytes, count, percent } from '../../../src/serve/cli/text.ts'
import type { Timeline as Answered, Change, Cycle, Eviction, Page, Run, Sample, Warning } from '../api/answers.ts'
import { HOUR, RANGES } from '../api/range.ts'
import { useAnswer } from '../api/use-answer.ts'
import { filledBy } from '../live/event-text.ts'
import { memory } from '../live/memory.ts'
import { Chart } from '../parts/chart.tsx'
import { CacheChoice, Filters, RangeChoice } from '../parts/controls.tsx'
import { Time } from '../parts/figures.tsx'
import { CRITICAL, EMERGENCY } from '../parts/gauge.tsx'
import { Lanes } from '../parts/lanes.tsx'
import { Panel } from '../parts/panel.tsx'
import { Answer, Empty, Incomplete } from '../parts/states.tsx'
import { link, replaceQuery, route } from '../route.ts'
import { EvictionTable } from './evictions.tsx'

const MINUTE = 60_000
/** Points that a chart's width can tell apart. */
const POINTS = 180
/** Up to this range, usage and hit rate are drawn by the periodic checks, finer than the log's minutes. */
const FINE = 3 * 3_600_000
/** What was changed by hand, and when, is little; more of it than this is no picture. */
const MARKS = 1000

/** The past, across runs: what was used, hit and evicted, and what happened meanwhile; a range can be drawn to see it closer. */
export function Timeline() {
  const { since = HOUR, until, cache, burst } = route.value.query
  const range = RANGES.find((one) => one.since === since)
  const span = range === undefined ? Date.parse(until ?? '') - Date.parse(since) : range.ms
  const every = Math.max(1, Math.ceil(span / POINTS / MINUTE)) * MINUTE
  const live = until === undefined
  const asked = { since, until }
  const often = { every: live ? Math.max(5000, every / 12) : 0 }
  const points = useAnswer<Answered>('api/audit/timeline', { ...asked, cache, every }, often)
  const fine = span <= FINE
  const samples = useAnswer<{ samples: readonly Sample[] }>(
    fine ? 'api/cache/memory/history' : null,
    { ...asked, limit: 6000 },
    often,
  )
  const marks = { ...asked, limit: MARKS }
  const runs = useAnswer<Page<Run>>('api/audit/runs', marks, often)
  const warnings = useAnswer<Page<Warning>>('api/audit/warnings', marks, often)
  const cycles = useAnswer<Page<Cycle>>('api/audit/cycles', marks, often)
  const changes = useAnswer<Page<Change>>('api/audit/changes', marks, often)

  return (
    <>
      <h1 class="sr">Timeline</h1>
      <Filters label="Which time">
        {range === undefined ? (
          <span class="chosen">
            <Time at={since} /> to <Time at={until ?? null} />
            <button type="button" onClick={() => replaceQuery({ since: null, until: null, burst: null })}>
              Back to the last hour
            </button>
          </span>
        ) : (
          <RangeChoice fallback={HOUR} />
        )}
        <CacheChoice />
        <p class="muted grow hint">Draw a range to see it closer; click a bar of evictions to see its keys.</p>
      </Filters>
      <Answer of={points} lines={14}>
        {(known) =>
          known.items.length === 0 ? (
            <Panel title="Timeline">
              <Incomplete text={known.incomplete} />
              <Empty title="The log has nothing of this time">Choose a longer range.</Empty>
            </Panel>
          ) : (
            <>
              <Charts
                of={known}
                samples={fine && cache === undefined ? (samples.value?.samples ?? null) : null}
                runs={runs.value?.items ?? []}
                warnings={warnings.value?.items ?? []}
                cycles={cycles.value?.items ?? []}
                changes={changes.value?.items ?? []}
                span={range === undefined ? [Date.parse(since), Date.parse(until ?? '')] : null}
              />
              {burst !== undefined && <Burst at={burst} every={known.every} cache={cache} />}
            </>
          )
        }
      </Answer>
      <Happened
        runs={runs.value?.items ?? []}
        warnings={warnings.value?.items ?? []}
        changes={changes.value?.items ?? []}
      />
    </>
  )
}

interface Past {
  readonly runs: readonly Run[]
  readonly warnings: readonly Warning[]
  readonly cycles: readonly Cycle[]
  readonly changes: readonly Change[]
}

function Charts({
  of: { items, every, incomplete },
  samples,
  span,
  ...past
}: Past & { of: Answered; samples: readonly Sample[] | null; span: readonly [number, number] | null }) {
  const first = items[0]
  const last = items.at(-1)
  const from = span?.[0] ?? Date.parse(first?.from ?? '')
  const to = span?.[1] ?? Date.parse(last?.to ?? '')
  const drawn = useMemo(
    () => ({
      at: items.map((point) => Date.parse(point.from) / 1000),
      usage: items.map((point) => point.mostUsage),
      hitRate: items.map((point) => point.hitRate),
      evicted: items.map((point) => point.evicted),
      regretted: items.map((point) => point.regretted),
      rss: items.map((point) => point.mostRss),
      bytes: items.map((point) => point.mostBytes),
    }),
    [items],
  )
  const fine = useMemo(() => (samples === null || samples.length < 2 ? null : finely(samples)), [samples])
  const common = {
    group: 'timeline',
    span: [from / 1000, to / 1000] as const,
    zoomed: (a: number, b: number) =>
      replaceQuery({ since: iso(a * 1000), until: iso(Math.max(b, a + 60) * 1000), burst: null }),
  }
  const warning = memory.value?.memory_threshold ?? 0.8
  const per = every === MINUTE ? 'per minute' : `per ${every / MINUTE} minutes`
  return (
    <Panel title="Timeline" class="timeline" aside={per}>
      <Incomplete text={incomplete} />
      <h3>
        Usage of the budget{' '}
        <small class="legend">
          <i class="dash" data-kind="warning" /> warning {shareText(warning)} <i class="dash" data-kind="critical" />{' '}
          critical {shareText(CRITICAL)}, emergency {shareText(EMERGENCY)}
        </small>
      </h3>
      <Chart
        {...common}
        label="Memory usage"
        at={fine?.at ?? drawn.at}
        height={130}
        range={[0, 1]}
        marks={[
          { at: warning, name: '', colour: 'warn' },
          { at: CRITICAL, name: '', colour: 'bad' },
          { at: EMERGENCY, name: '', colour: 'bad' },
        ]}
        series={[{ name: 'usage', values: fine?.usage ?? drawn.usage, text: percent }]}
      />
      <h3>Hit rate</h3>
      <Chart
        {...common}
        label="Hit rate"
        at={fine?.at ?? drawn.at}
        height={110}
        range={[0, 1]}
        series={[{ name: 'hit rate', values: fine?.hitRate ?? drawn.hitRate, text: percent }]}
      />
      <h3>
        Evictions{' '}
        <small class="legend">
          <i class="swatch" /> evicted <i class="swatch bad" /> of them missed afterwards
        </small>
      </h3>
      <Chart
        {...common}
        label="Evictions"
        at={drawn.at}
        height={120}
        series={[
          { name: 'evicted', values: drawn.evicted, text: (value) => count(Math.round(value)), kind: 'bars' },
          {
            name: 'missed afterwards',
            values: drawn.regretted,
            text: (value) => count(value),
            kind: 'bars',
            colour: 'bad',
          },
        ]}
        clicked={(index) => replaceQuery({ burst: items[index]?.from ?? null })}
      />
      <h3>
        Process memory <small>resident; grey: what the caches hold</small>
      </h3>
      <Chart
        {...common}
        label="Process memory"
        bytes
        at={drawn.at}
        height={96}
        series={[
          { name: 'resident', values: drawn.rss, text: bytes },
          { name: 'caches', values: drawn.bytes, text: bytes, quiet: true },
        ]}
      />
      <Lanes from={from} to={to} {...past} />
    </Panel>
  )
}

/** Usage and hit rate at each check, oldest first. */
function finely(samples: readonly Sample[]) {
  const sorted = samples.toSorted((a, b) => a.at.localeCompare(b.at))
  const at: number[] = []
  const usage: (number | null)[] = []
  const hitRate: (number | null)[] = []
  sorted.forEach((sample, index) => {
    const previous = sorted[index - 1]
    // Between two runs nothing was there.
    if (previous !== undefined && previous.run !== sample.run) {
      at.push(Date.parse(previous.at) / 1000 + 0.001)
      usage.push(null)
      hitRate.push(null)
    }
    const hits = sample.caches.reduce((sum, cache) => sum + cache.hits, 0)
    const misses = sample.caches.reduce((sum, cache) => sum + cache.misses, 0)
    at.push(Date.parse(sample.at) / 1000)
    usage.push(sample.usage)
    hitRate.push(hits + misses === 0 ? null : hits / (hits + misses))
  })
  return { at, usage, hitRate }
}

/** `80 %`: of a mark, which is a round figure. */
function shareText(share: number): string {
  return `${+(share * 100).toFixed(1)} %`
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}

/** The keys of one bar. */
function Burst({ at, every, cache }: { at: string; every: number; cache: string | undefined }) {
  const until = iso(Date.parse(at) + every)
  const asked = { since: at, until, cache }
  const page = useAnswer<Page<Eviction>>('api/audit/evictions', { ...asked, limit: 15 })
  return (
    <Panel
      title="Evicted then"
      aside={
        <>
          <span>
            <Time at={at} /> to <Time at={until} />
          </span>
          <a href={link('evictions', [], asked)}>all of them</a>
          <button type="button" onClick={() => replaceQuery({ burst: null })}>
            Close
          </button>
        </>
      }
    >
      <Answer of={page}>{({ items }) => <EvictionTable rows={items} />}</Answer>
    </Panel>
  )
}

/** The marks of the lanes in words, for those who read rather than look. */
function Happened({ runs, warnings, changes }: Omit<Past, 'cycles'>) {
  const lines = [
    ...runs.map((run) => ({
      at: run.startedAt,
      id: `${run.run} started`,
      text: `Run ${run.run.slice(0, 8)} started`,
    })),
    ...runs
      .filter(({ state }) => state === 'crashed')
      .map((run) => ({
        at: run.lastAt,
        id: `${run.run} crashed`,
        text: `Run ${run.run.slice(0, 8)} crashed: the log's last word of it, after ${countInWords(run.evictedItems, 'eviction')}`,
      })),
    ...warnings.map((warning) => ({
      at: warning.at,
      id: `${warning.run}:${warning.seq}`,
      text: `Level ${warning.level === 'recovered' ? `recovered to ${warning.to}` : warning.level}, at ${percent(warning.usage)} of the budget${filledBy(warning)}`,
    })),
    ...changes
      .filter((change) => change.data.reason !== 'cache-created')
      .map((change) => ({
        at: change.at,
        id: `${change.run}:${change.seq}`,
        text: `${change.text}${change.actor === null ? '' : `, by ${change.actor}`}`,
      })),
  ].sort((a, b) => b.at.localeCompare(a.at))
  if (lines.length === 0) return null
  return (
    <Panel title="What happened" aside="latest first">
      <ol class="happened">
        {lines.slice(0, 40).map((line) => (
          <li key={line.id}>
            <Time at={line.at} /> <span>{line.text}</span>
          </li>
        ))}
      </ol>
    </Panel>
  )
}
