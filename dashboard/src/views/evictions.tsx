import { EVICTION_CAUSES } from '../../../src/event/vocabulary.ts'
import { causeInWords } from '../../../src/query/sentences.ts'
import { durationInWords } from '../../../src/query/words.ts'
import { bytes, count, percent, printable } from '../../../src/serve/cli/text.ts'
import type { Eviction, Page, Top } from '../api/answers.ts'
import { useAnswer } from '../api/use-answer.ts'
import { CacheChoice, Choice, Filters, Pager, RangeChoice, TextFilter } from '../parts/controls.tsx'
import { Bytes, Count, Duration, Key, Time } from '../parts/figures.tsx'
import { Panel, Share } from '../parts/panel.tsx'
import { Answer, Empty, Incomplete } from '../parts/states.tsx'
import { type Column, type Sorting, sortingInAddress, Table } from '../parts/table.tsx'
import { keyLink, link, route } from '../route.ts'

const LIMIT = 50

const COLUMNS: readonly Column<Eviction>[] = [
  { name: 'When', sort: 'time', cell: (row) => <Time at={row.at} /> },
  {
    name: 'Key',
    head: true,
    cell: (row) => (
      <>
        <a class="twice wide" href={keyLink(row.cache, row.key)}>
          <Key of={row.key} most={56} />
          <small>{row.cache}</small>
        </a>
        {/* On a phone its own column would be out of sight. */}
        <span class="why below">{why(row)}</span>
      </>
    ),
  },
  { name: 'Why', minor: true, cell: (row) => <span class="why">{why(row)}</span> },
  { name: 'Size', figure: true, sort: 'size', cell: (row) => <Bytes of={row.size} /> },
  { name: 'Age', figure: true, sort: 'age', cell: (row) => <Duration of={row.age} /> },
  { name: 'Hits', figure: true, sort: 'hits', cell: (row) => <Count of={row.hits} /> },
  { name: 'Unused', figure: true, minor: true, sort: 'idle', cell: (row) => <Duration of={row.idle} /> },
  {
    name: 'Missed after',
    figure: true,
    title: 'How soon it was asked for again, and missed',
    cell: (row) =>
      row.missedAt === null ? (
        <span class="muted">–</span>
      ) : (
        <Duration of={Date.parse(row.missedAt) - Date.parse(row.at)} />
      ),
  },
]

/** The reason in sentences: the limit or the person, the write that needed room, why this entry, and what it cost. */
function why({ cause, trigger, cycle, policy, runnerUp, at, missedAt }: Eviction): string {
  const room = trigger === null ? '' : `; ${quoted(trigger.key)} (${bytes(trigger.size)}) needed room`
  const choice = `${policy} gave it up${runnerUp === null ? '' : ` before ${quoted(runnerUp)}`}`
  const cost = missedAt === null ? '' : `. Missed ${durationInWords(Date.parse(missedAt) - Date.parse(at))} later`
  return `${causeInWords(cause)}${cycle === null ? room : ''}; ${choice}${cost}`
}

function quoted(key: string): string {
  const shown = printable(key)
  return `“${shown.length > 40 ? `${shown.slice(0, 39)}…` : shown}”`
}

/** What was evicted, when and why. */
export function Evictions() {
  const { cache, cause, prefix, since, until, cycle, cursor, order, reverse } = route.value.query
  const asked = { cache, cause, prefix, since, until, cycle, order, reverse }
  const page = useAnswer<Page<Eviction>>('api/audit/evictions', { ...asked, cursor, limit: LIMIT })
  return (
    <>
      <h1 class="sr">Evictions</h1>
      <Filters label="Which evictions">
        <CacheChoice />
        <Choice
          name="cause"
          label="Cause"
          all="all causes"
          options={EVICTION_CAUSES.map((value) => ({ value, name: value }))}
        />
        <RangeChoice all="all that is kept" />
        <TextFilter name="prefix" label="Key begins with" hint="settings:" />
        {(cycle !== undefined || until !== undefined) && (
          <a class="button" href={link('evictions')}>
            All evictions
          </a>
        )}
      </Filters>
      <div class="columns wide-left">
        <Panel title="Evictions" aside={cause === undefined ? undefined : causeInWords(cause as Eviction['cause'])}>
          <Answer of={page} lines={12}>
            {(known) => (
              <>
                <Incomplete text={known.incomplete} />
                <EvictionTable rows={known.items} sorting={sortingInAddress('time')} />
                <Pager next={known.next} rows={known.items.length} />
              </>
            )}
          </Answer>
        </Panel>
        <Suffering cache={cache} since={since} until={until} />
      </div>
    </>
  )
}

/** Evictions as they are given; sorted by the service, where there is a way to ask it. */
export function EvictionTable({ rows, sorting }: { rows: readonly Eviction[]; sorting?: Sorting }) {
  if (rows.length === 0) {
    return <Empty title="No eviction matches">Nothing was given up in this range, or the filters leave nothing.</Empty>
  }
  return (
    <Table
      label="Evictions"
      columns={COLUMNS}
      rows={rows}
      id={(row) => `${row.run}:${row.seq}`}
      mark={(row) => (row.missedAt === null ? undefined : 'regretted')}
      {...(sorting === undefined ? {} : { sorting })}
    />
  )
}

/** Which prefixes lose most entries, and how many of them were wanted again. */
function Suffering(asked: { cache: string | undefined; since: string | undefined; until: string | undefined }) {
  const top = useAnswer<Page<Top>>('api/audit/top', { ...asked, of: 'prefix', by: 'evictions', limit: 12 })
  return (
    <Panel title="Which prefix suffers" aside={<a href={link('regrets')}>regrets</a>}>
      <Answer of={top}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty title="No prefix lost anything" />
          ) : (
            <Table
              label="Prefixes by evictions"
              rows={items}
              id={(row) => `${row.cache} ${row.name}`}
              columns={[
                {
                  name: 'Prefix',
                  head: true,
                  cell: (row) => (
                    <a class="twice" href={link('evictions', [], { ...asked, cache: row.cache, prefix: row.name })}>
                      <Key of={row.name} most={32} />
                      <small>{row.cache}</small>
                    </a>
                  ),
                },
                { name: 'Evicted', figure: true, cell: (row) => count(row.evicted) },
                { name: 'Bytes', figure: true, cell: (row) => <Bytes of={row.bytes} /> },
                {
                  name: 'Wanted again',
                  figure: true,
                  cell: (row) => {
                    if (row.regretted === null) return '–'
                    const share = row.evicted === 0 ? 0 : row.regretted / row.evicted
                    return (
                      <span class="limited">
                        <Share of={share} label={percent(share)} />
                        <span class="figure">{percent(share)}</span>
                      </span>
                    )
                  },
                },
              ]}
            />
          )
        }
      </Answer>
    </Panel>
  )
}
