import { ratioAt } from '../../../src/base/curve/reading.ts'
import { bytes, count, percent } from '../../../src/serve/cli/text.ts'
import type { Curves as Answered, CacheCurve } from '../api/answers.ts'
import { useAnswer } from '../api/use-answer.ts'
import { Chart, type ChartProps } from '../parts/chart.tsx'
import { CacheChoice, Filters } from '../parts/controls.tsx'
import { Count } from '../parts/figures.tsx'
import { Panel, Stat } from '../parts/panel.tsx'
import { Answer, Empty, Incomplete } from '../parts/states.tsx'
import { Table } from '../parts/table.tsx'
import { route } from '../route.ts'

/** Sizes that are read off, as multiples of what the cache holds now. */
const MULTIPLES = [0.25, 0.5, 1, 1.5, 2, 4]

/** What each cache would hit at other sizes. */
export function Curves() {
  const { cache } = route.value.query
  const curves = useAnswer<Answered>('api/analysis/curve', { cache })
  return (
    <>
      <h1 class="sr">Curves</h1>
      <Filters label="Which curves">
        <CacheChoice />
      </Filters>
      <Answer of={curves} lines={10}>
        {({ items, incomplete }) => (
          <>
            <Incomplete text={incomplete} />
            {items.length === 0 && (
              <Panel title="Curves">
                <Empty title="Nothing was asked for yet">A curve begins with the first request.</Empty>
              </Panel>
            )}
            {items.map((curve) => (
              <Curve key={curve.cache} of={curve} />
            ))}
          </>
        )}
      </Answer>
    </>
  )
}

function Curve({ of }: { of: CacheCurve }) {
  const { cache, by_items, by_bytes, held_items, held_bytes, hit_ratio } = of
  return (
    <Panel title={cache} aside={of.error === 0 ? 'exact' : `on a sample, mean error below ${percent(of.error)}`}>
      <dl class="stats first">
        <Stat name="Hit ratio now">{hit_ratio === null ? '–' : percent(hit_ratio)}</Stat>
        <Stat name="The same under LRU" note="by the curve">
          {percent(ratioAt(by_items, held_items))}
        </Stat>
        <Stat name="At any size" note="under LRU: what is asked for once is never hit">
          {percent(by_items.at(-1)?.[1] ?? 0)}
        </Stat>
        <Stat name="Requests">
          <Count of={of.requests} />
        </Stat>
      </dl>
      <div class="columns">
        <Drawn
          name={`${cache}: hit ratio by entries, under LRU`}
          points={by_items}
          across={{ text: count, isBytes: false }}
        />
        <Drawn
          name={`${cache}: hit ratio by bytes, under LRU`}
          points={by_bytes}
          across={{ text: bytes, isBytes: true }}
        />
      </div>
      <Table
        label={`Sizes of ${cache}`}
        rows={MULTIPLES}
        id={(times) => String(times)}
        columns={[
          { name: 'Size', head: true, cell: (times) => (times === 1 ? 'as now' : `${times} ×`) },
          { name: 'Entries', figure: true, cell: (times) => count(Math.round(times * held_items)) },
          { name: 'Hit ratio', figure: true, cell: (times) => percent(ratioAt(by_items, times * held_items)) },
          { name: 'Bytes', figure: true, cell: (times) => bytes(Math.round(times * held_bytes)) },
          { name: 'Hit ratio', figure: true, cell: (times) => percent(ratioAt(by_bytes, times * held_bytes)) },
        ]}
      />
    </Panel>
  )
}

function Drawn(props: { name: string; points: CacheCurve['by_items']; across: NonNullable<ChartProps['across']> }) {
  const points = [[0, 0] as const, ...props.points]
  return (
    <Chart
      label={props.name}
      at={points.map(([size]) => size)}
      across={props.across}
      series={[{ name: 'hit ratio', values: points.map(([, ratio]) => ratio), text: (value) => percent(value) }]}
      range={[0, 1]}
      height={180}
    />
  )
}
