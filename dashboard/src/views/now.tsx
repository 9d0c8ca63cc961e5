import { bytes, count, duration, percent } from '../../../src/serve/cli/text.ts'
import type { CacheRow, Memory } from '../api/answers.ts'
import { memory } from '../live/memory.ts'
import { curves, lastMinute } from '../live/rates.ts'
import { Chart } from '../parts/chart.tsx'
import { Bytes, Count, Duration, Percent, rateText, Time } from '../parts/figures.tsx'
import { Gauge } from '../parts/gauge.tsx'
import { Panel, Share, Stat } from '../parts/panel.tsx'
import { Sparkline } from '../parts/sparkline.tsx'
import { Empty, Loading } from '../parts/states.tsx'
import { type Column, Table } from '../parts/table.tsx'
import { link } from '../route.ts'

/** What the cache holds and does at this moment. */
export function Now() {
  const now = memory.value
  return (
    <>
      <h1 class="sr">Now</h1>
      {now === null ? (
        <Panel title="Memory">
          <Loading lines={5} />
        </Panel>
      ) : (
        <>
          <MemoryPanel of={now} />
          <Curves of={now} />
          <Caches of={now} />
          <div class="columns">
            <Causes />
            <Process of={now} />
          </div>
        </>
      )}
    </>
  )
}

function MemoryPanel({ of }: { of: Memory }) {
  const minute = lastMinute.value
  return (
    <Panel title="Memory" class="memory" aside={<Aside of={of} />}>
      <Gauge
        label="Memory budget"
        share={of.memory_usage_percent / 100}
        peak={of.max_memory_bytes === null ? null : of.peak_memory_bytes / of.max_memory_bytes}
        level={of.alert_level}
        warning={of.memory_threshold}
        threshold={of.eviction_threshold}
        target={of.eviction_target}
      >
        <b class="figure">{bytes(of.current_memory_bytes)}</b> of {bytes(of.max_memory_bytes)}
      </Gauge>
      <dl class="stats">
        <Stat name="Hit rate" note={`${percentOr(of.hit_rate)} since the last reset`}>
          <Percent of={minute?.hitRate ?? null} />
        </Stat>
        <Stat name="Requests">
          <Rate of={minute?.requestsPerSecond} unit="/s" />
        </Stat>
        <Stat
          name="Evictions"
          note={
            of.eviction_age_ms.median === null
              ? 'none since the last reset'
              : `at ${duration(of.eviction_age_ms.median)} of age, median`
          }
        >
          {rateText(minute?.evictedPerMinute ?? of.eviction_rate)}
          <small> /min</small>
        </Stat>
        <Stat name="Items" note={of.max_cache_size === null ? 'no limit' : `of ${count(of.max_cache_size)}`}>
          <Count of={of.cache_item_count} />
        </Stat>
        <Stat name="On the heap" note={`${percent(of.heap_usage_percent / 100)} of ${bytes(of.max_heap_bytes)}`}>
          <Bytes of={of.heap_bytes} />
        </Stat>
        <Stat name="Alert level" level={of.alert_level} note={`${count(of.memory_warnings)} since the last reset`}>
          {of.alert_level}
        </Stat>
      </dl>
    </Panel>
  )
}

function Aside({ of }: { of: Memory }) {
  return (
    <>
      <a href={link('settings')}>
        {of.eviction_policy}, cycles from {percent(of.eviction_threshold)} to {percent(of.eviction_target)}
      </a>
      <span>
        peak <Bytes of={of.peak_memory_bytes} />
        {of.peak_memory_at !== null && (
          <>
            {' at '}
            <Time at={of.peak_memory_at} />
          </>
        )}
      </span>
    </>
  )
}

function percentOr(value: number | null): string {
  return value === null ? 'none' : percent(value)
}

function Curves({ of }: { of: Memory }) {
  const { at, usage, hitRate, evictions } = curves.value
  const last = at.at(-1) ?? 0
  const span: readonly [number, number] = [last - 300, last]
  const common = { at, height: 132, group: 'now', span }
  return (
    <div class="columns three">
      <Panel title="Usage" aside="5 minutes">
        <Chart
          {...common}
          label="Memory usage over the last five minutes"
          range={[0, 1]}
          marks={[
            { at: of.eviction_threshold, name: 'eviction' },
            { at: of.eviction_target, name: 'target' },
          ]}
          series={[{ name: 'usage', values: usage, text: percent }]}
        />
      </Panel>
      <Panel title="Hit rate" aside="5 minutes">
        <Chart
          {...common}
          label="Hit rate over the last five minutes"
          range={[0, 1]}
          series={[{ name: 'hit rate', values: hitRate, text: percent }]}
        />
      </Panel>
      <Panel title="Evictions" aside="per minute">
        <Chart
          {...common}
          label="Evictions a minute over the last five minutes"
          series={[{ name: 'evictions', values: evictions, text: (value) => `${rateText(value)}/min` }]}
        />
      </Panel>
    </div>
  )
}

function Caches({ of }: { of: Memory }) {
  const rates = lastMinute.value?.caches
  const columns: readonly Column<CacheRow>[] = [
    {
      name: 'Cache',
      head: true,
      cell: (row) => <a href={link('keys', [], { cache: row.name })}>{row.name}</a>,
    },
    { name: 'Items', figure: true, cell: (row) => <Limited value={row.items} most={row.max_items} text={count} /> },
    {
      name: 'Memory',
      figure: true,
      cell: (row) => (
        <Limited value={row.bytes} most={row.max_memory_bytes} whole={of.max_memory_bytes ?? undefined} text={bytes} />
      ),
    },
    { name: 'Hit rate', figure: true, cell: (row) => <Percent of={rates?.get(row.name)?.hitRate ?? null} /> },
    {
      name: 'Requests',
      figure: true,
      cell: (row) => <Rate of={rates?.get(row.name)?.requestsPerSecond} unit="/s" />,
    },
    {
      name: 'Evictions',
      figure: true,
      cell: (row) => <Rate of={rates?.get(row.name)?.evictedPerMinute} unit="/min" />,
    },
    { name: 'Regrets', figure: true, minor: true, cell: (row) => <Count of={row.regretted_misses} /> },
    { name: 'Expired', figure: true, minor: true, cell: (row) => <Count of={row.expired_items} /> },
    { name: 'Refused', figure: true, minor: true, cell: (row) => <Count of={row.rejected_items} /> },
    { name: 'Last stored', figure: true, minor: true, cell: (row) => <Time at={row.last_updated} /> },
  ]
  return (
    <Panel title="Caches" aside="rates over the last minute">
      {of.caches.length === 0 ? (
        <Empty title="No caches yet">A cache appears here with its first use.</Empty>
      ) : (
        <Table label="Caches" columns={columns} rows={of.caches} id={(row) => row.name} />
      )}
    </Panel>
  )
}

function Rate({ of, unit }: { of: number | null | undefined; unit: string }) {
  if (of === null || of === undefined) return <span class="muted">–</span>
  return (
    <span class="figure">
      {rateText(of)}
      <small> {unit}</small>
    </span>
  )
}

/** A figure against its limit: of its own, else of the whole. */
function Limited({
  value,
  most,
  whole,
  text,
}: {
  value: number
  most: number | null
  whole?: number | undefined
  text: (value: number) => string
}) {
  const limit = most ?? whole
  const of = most === null ? '' : ` of ${text(most)}`
  return (
    <span class="limited">
      {limit !== undefined && <Share of={value / limit} label={percent(value / limit)} />}
      <span class="figure">
        {text(value)}
        {of !== '' && <small>{of}</small>}
      </span>
    </span>
  )
}

function Causes() {
  const causes = lastMinute.value?.causes ?? []
  const most = Math.max(...causes.flatMap((cause) => cause.recent), 0)
  return (
    <Panel title="Evictions by cause" aside={<a href={link('evictions')}>all evictions</a>}>
      {causes.length === 0 ? (
        <Empty title="Nothing was evicted">since this run began or its statistics were reset.</Empty>
      ) : (
        <Table
          label="Evictions by cause"
          rows={causes}
          id={(row) => row.cause}
          columns={[
            {
              name: 'Cause',
              head: true,
              cell: (row) => <a href={link('evictions', [], { cause: row.cause })}>{row.cause}</a>,
            },
            {
              name: 'Last two minutes',
              cell: (row) => (
                <Sparkline values={row.recent} slots={120} most={most} label={`${row.cause} over two minutes`} />
              ),
            },
            { name: 'Per minute', figure: true, cell: (row) => <Rate of={row.perMinute} unit="/min" /> },
          ]}
        />
      )}
    </Panel>
  )
}

function Process({ of }: { of: Memory }) {
  const {
    process: { rss, heap_used: heapUsed, heap_limit: heapLimit },
    may_use: mayUse,
    audit,
  } = of
  return (
    <Panel title="Process and audit log" aside={<span class="key">{of.run_id}</span>}>
      <dl class="pairs">
        <dt>Resident memory</dt>
        <dd>
          <Share of={rss / mayUse.bytes} label={percent(rss / mayUse.bytes)} />
          <Bytes of={rss} />
          <small>
            {' '}
            of {bytes(mayUse.bytes)} ({mayUse.source})
          </small>
        </dd>
        <dt>V8 heap</dt>
        <dd>
          <Share of={heapUsed / heapLimit} label={percent(heapUsed / heapLimit)} />
          <Bytes of={heapUsed} />
          <small> of {bytes(heapLimit)}</small>
        </dd>
        {audit === null ? (
          <>
            <dt>Audit log</dt>
            <dd>none is kept: nothing is remembered</dd>
          </>
        ) : (
          <>
            <dt>Audit log</dt>
            <dd data-level={audit.status === 'ok' ? undefined : 'critical'}>
              {audit.status}, level {audit.level}
              {audit.problem !== null && `: ${audit.problem}`}
            </dd>
            <dt>Events</dt>
            <dd>
              <Count of={audit.written_events} /> <small>written, </small>
              <Count of={audit.pending_events} /> <small>pending, </small>
              <span data-level={audit.lost_events > 0 ? 'critical' : undefined}>
                <Count of={audit.lost_events} /> <small>lost</small>
              </span>
            </dd>
          </>
        )}
        {of.lifetime !== null && (
          <>
            <dt>{of.lifetime.runs === 1 ? 'Of this first run' : `Of all ${count(of.lifetime.runs)} runs`}</dt>
            <dd>
              <Count of={of.lifetime.evicted_items} /> <small>evicted, peak </small>
              <Bytes of={of.lifetime.peak_memory_bytes} />
            </dd>
          </>
        )}
        <dt>Age at eviction</dt>
        <dd>
          <Duration of={of.eviction_age_ms.median} /> <small>median, </small>
          <Duration of={of.eviction_age_ms.p90} /> <small>90 %</small>
        </dd>
      </dl>
    </Panel>
  )
}
