import { bytes, count, duration, percent } from '../../../src/serve/cli/text.ts'
import type { Regrets as Answered, Page, Top } from '../api/answers.ts'
import { useAnswer } from '../api/use-answer.ts'
import { CacheChoice, Filters, Pager, RangeChoice, TextFilter } from '../parts/controls.tsx'
import { Bytes, Count, Duration, Key } from '../parts/figures.tsx'
import { Panel, Share, Stat } from '../parts/panel.tsx'
import { Answer, Empty, Incomplete } from '../parts/states.tsx'
import { sortingInAddress, Table } from '../parts/table.tsx'
import { keyLink, link, route } from '../route.ts'

/** What was evicted and asked for again: what evictions cost. */
export function Regrets() {
  const { cache, since, cursor, prefix, order, reverse } = route.value.query
  const regrets = useAnswer<Answered>('api/audit/regrets', { cache, since, prefix, order, reverse, cursor, limit: 25 })
  const keys = useAnswer<Page<Top>>('api/audit/top', { cache, since, of: 'key', by: 'regrets', limit: 12 })
  return (
    <>
      <h1 class="sr">Regrets</h1>
      <Filters label="Which regrets">
        <CacheChoice />
        <RangeChoice all="all that is kept" />
        <TextFilter name="prefix" label="Key prefix" hint="settings" />
      </Filters>
      <Answer of={regrets} lines={10}>
        {(known) =>
          known.total.regretted === 0 ? (
            <Panel title="Regrets">
              <Incomplete text={known.incomplete} />
              <Empty title="Nothing that was evicted was asked for again">
                {known.remembered === null
                  ? 'No run of this log remembers evictions.'
                  : `The cache remembers its last ${count(known.remembered)} evictions to know it.`}
              </Empty>
            </Panel>
          ) : (
            <>
              <Totals of={known} />
              <div class="columns wide-left">
                <Panel title="By prefix">
                  <ByPrefix of={known} />
                  <Pager next={known.next} rows={known.items.length} />
                </Panel>
                <div class="stack">
                  <Delays of={known} />
                  <Panel title="Keys most regretted">
                    <Answer of={keys}>
                      {({ items }) => <Keys rows={items.filter((row) => (row.regretted ?? 0) > 0)} />}
                    </Answer>
                  </Panel>
                </div>
              </div>
            </>
          )
        }
      </Answer>
    </>
  )
}

function Totals({ of: { total, remembered, incomplete } }: { of: Answered }) {
  return (
    <Panel title="What evictions cost">
      <Incomplete text={incomplete} />
      <dl class="stats first">
        <Stat name="Evicted">
          <Count of={total.evicted} />
        </Stat>
        <Stat name="Asked for again" note={`${percent(total.regretted / Math.max(1, total.evicted))} of the evicted`}>
          <Count of={total.regretted} />
        </Stat>
        <Stat name="Stored again">
          <Bytes of={total.bytes} />
        </Stat>
        <Stat name="Cost" note="in the unit that set() was given">
          <Count of={Math.round(total.cost)} />
        </Stat>
        <Stat name="Missed after" note="mean">
          <Duration of={total.delay} />
        </Stat>
        <Stat name="Remembered" note="evictions at most: later misses are not known">
          {remembered === null ? '–' : <Count of={remembered} />}
        </Stat>
      </dl>
    </Panel>
  )
}

function ByPrefix({ of }: { of: Answered }) {
  return (
    <Table
      label="Regrets by prefix"
      rows={of.items}
      id={(row) => `${row.cache} ${row.prefix}`}
      sorting={sortingInAddress('regretted')}
      columns={[
        {
          name: 'Prefix',
          head: true,
          cell: (row) => (
            <a class="twice" href={link('evictions', [], { cache: row.cache, prefix: row.prefix })}>
              <Key of={row.prefix} most={40} />
              <small>{row.cache}</small>
            </a>
          ),
        },
        { name: 'Evicted', figure: true, sort: 'evicted', cell: (row) => <Count of={row.evicted} /> },
        { name: 'Wanted again', figure: true, sort: 'regretted', cell: (row) => <Count of={row.regretted} /> },
        {
          name: 'Share',
          figure: true,
          sort: 'share',
          cell: (row) => {
            const share = row.regretted / Math.max(1, row.evicted)
            return (
              <span class="limited">
                <Share of={share} label={percent(share)} />
                <span class="figure">{percent(share)}</span>
              </span>
            )
          },
        },
        { name: 'Stored again', figure: true, sort: 'bytes', minor: true, cell: (row) => <Bytes of={row.bytes} /> },
        { name: 'Cost', figure: true, sort: 'cost', minor: true, cell: (row) => <Count of={Math.round(row.cost)} /> },
        { name: 'Missed after', figure: true, sort: 'delay', cell: (row) => <Duration of={row.delay} /> },
      ]}
    />
  )
}

/** How soon after the eviction they were missed. */
function Delays({ of: { delays } }: { of: Answered }) {
  const most = Math.max(...delays.map((delay) => delay.count), 1)
  const last = delays.findLastIndex((delay) => delay.count > 0)
  return (
    <Panel title="How soon they were missed">
      <dl class="histogram">
        {delays.slice(0, last + 1).map(({ atMost, count: counted }, index) => (
          <div key={index}>
            <dt>{atMost === null ? 'later' : `≤ ${duration(atMost)}`}</dt>
            <dd>
              <span class="bar" style={{ width: `${(counted / most) * 100}%` }} />
              <span class="figure">{count(counted)}</span>
            </dd>
          </div>
        ))}
      </dl>
    </Panel>
  )
}

function Keys({ rows }: { rows: readonly Top[] }) {
  if (rows.length === 0) return <Empty title="No key stands out" />
  return (
    <Table
      label="Keys most regretted"
      rows={rows}
      id={(row) => `${row.cache} ${row.name}`}
      columns={[
        {
          name: 'Key',
          head: true,
          cell: (row) => (
            <a class="twice" href={keyLink(row.cache, row.name)}>
              <Key of={row.name} most={36} />
              <small>{row.cache}</small>
            </a>
          ),
        },
        { name: 'Evicted', figure: true, cell: (row) => count(row.evicted) },
        { name: 'Missed', figure: true, cell: (row) => count(row.regretted ?? 0) },
        { name: 'Again', figure: true, cell: (row) => bytes(row.regrettedBytes ?? 0) },
      ]}
    />
  )
}
