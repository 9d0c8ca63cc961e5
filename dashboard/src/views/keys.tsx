import { countInWords } from '../../../src/query/words.ts'
import { percent } from '../../../src/serve/cli/text.ts'
import type { Item, ItemPage } from '../api/answers.ts'
import { useAnswer } from '../api/use-answer.ts'
import { cacheNames, memory } from '../live/memory.ts'
import { CacheChoice, Filters, Pager, TextFilter } from '../parts/controls.tsx'
import { Bytes, Count, Duration, Key, Time } from '../parts/figures.tsx'
import { Panel, Share } from '../parts/panel.tsx'
import { Answer, Empty } from '../parts/states.tsx'
import { type Column, type Sorting, Table } from '../parts/table.tsx'
import { keyLink, replaceQuery, route } from '../route.ts'
import { KeyPage } from './key.tsx'

const LIMIT = 50

/** The live keys of a cache, or one key's page. */
export function Keys() {
  const [cache, key] = route.value.path
  return cache !== undefined && key !== undefined ? <KeyPage cache={cache} of={key} /> : <List />
}

type Order = 'age' | 'size' | 'hits' | 'policy'

function List() {
  const { cache = cacheNames.value[0], prefix, order = 'size', reverse, cursor } = route.value.query
  const page = useAnswer<ItemPage>(cache === undefined ? null : `api/cache/${encodeURIComponent(cache)}/items`, {
    prefix,
    order,
    reverse,
    cursor,
    limit: LIMIT,
  })
  const held = memory.value?.caches.find((one) => one.name === cache)
  const sorting: Sorting = {
    by: order,
    // Each order has its own first: the largest, the oldest, the most hits.
    order: (order === 'age') === (reverse === undefined) ? 'ascending' : 'descending',
    sort: (by) =>
      replaceQuery({
        order: by,
        reverse: by === order && reverse === undefined ? 'true' : null,
        cursor: null,
        before: null,
      }),
  }
  return (
    <>
      <h1 class="sr">Keys</h1>
      <Filters label="Which keys">
        <CacheChoice fallback={cache ?? ''} />
        <TextFilter name="prefix" label="Key begins with" hint="settings:10" />
        <label>
          Order
          <select
            value={order}
            onChange={(event) =>
              replaceQuery({ order: event.currentTarget.value, reverse: null, cursor: null, before: null })
            }
          >
            <option value="size">largest first</option>
            <option value="age">oldest first</option>
            <option value="hits">most hits first</option>
            <option value="policy">next to be evicted first</option>
          </select>
        </label>
      </Filters>
      <Panel
        title={cache === undefined ? 'Keys' : `Keys of ${cache}`}
        aside={
          held !== undefined && (
            <span>
              {countInWords(held.items, 'entry', 'entries')}, <Bytes of={held.bytes} />
            </span>
          )
        }
      >
        {cache === undefined ? (
          <Empty title="No cache yet">A cache appears with its first use.</Empty>
        ) : (
          <Answer of={page} lines={12}>
            {({ items, next, isExact }) =>
              items.length === 0 ? (
                <Empty title={prefix === undefined ? 'This cache is empty' : 'No live key begins so'}>
                  What was there and is gone stands under Evictions.
                </Empty>
              ) : (
                <>
                  {!isExact && (
                    <p class="muted">
                      By frequency alone: who really goes first, hybrid decides only when it comes to it.
                    </p>
                  )}
                  <Table
                    label="Live keys"
                    rows={items}
                    columns={columns(cache, Math.max(...items.map((item) => item.size)), order as Order)}
                    id={(row) => row.key}
                    sorting={sorting}
                  />
                  <Pager next={next} rows={items.length} />
                </>
              )
            }
          </Answer>
        )}
      </Panel>
    </>
  )
}

function columns(cache: string, largest: number, order: Order): readonly Column<Item>[] {
  const now = Date.now()
  return [
    {
      name: 'Key',
      head: true,
      cell: (row) => (
        <a href={keyLink(cache, row.key)}>
          <Key of={row.key} />
        </a>
      ),
    },
    {
      name: 'Size',
      figure: true,
      sort: 'size',
      cell: (row) => (
        <span class="limited">
          <Share of={row.size / largest} label={`${percent(row.size / largest)} of the largest shown`} />
          <Bytes of={row.size} />
        </span>
      ),
    },
    { name: 'Age', figure: true, sort: 'age', cell: (row) => <Duration of={now - Date.parse(row.stored_at)} /> },
    { name: 'Hits', figure: true, sort: 'hits', cell: (row) => <Count of={row.hits} /> },
    {
      name: 'Unused for',
      figure: true,
      minor: true,
      cell: (row) => <Duration of={row.last_access === null ? null : now - Date.parse(row.last_access)} />,
    },
    {
      name: 'Expires',
      figure: true,
      minor: true,
      cell: (row) => (row.expires_at === null ? <span class="muted">never</span> : <Time at={row.expires_at} />),
    },
    { name: 'Cost', figure: true, minor: true, cell: (row) => <Count of={row.cost} /> },
    ...(order === 'policy'
      ? [
          {
            name: 'Score',
            figure: true,
            minor: true,
            title: 'What the policy compares, in its own unit',
            cell: (row: Item) => <span class="figure">{row.score?.toLocaleString('en') ?? '–'}</span>,
          },
        ]
      : []),
  ]
}
