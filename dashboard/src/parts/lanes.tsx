import { countInWords } from '../../../src/query/words.ts'
import { percent } from '../../../src/serve/cli/text.ts'
import type { Change, Cycle, Run, Warning } from '../api/answers.ts'
import { localText } from './figures.tsx'

interface Mark {
  readonly id: string
  readonly from: number
  /** Left out: a moment. */
  readonly to?: number
  readonly kind: string
  readonly text: string
}

/** What happened below the curves, on the same axis: runs, levels, cycles, changes. */
export function Lanes({
  from,
  to,
  runs,
  warnings,
  cycles,
  changes,
}: {
  from: number
  to: number
  runs: readonly Run[]
  warnings: readonly Warning[]
  cycles: readonly Cycle[]
  changes: readonly Change[]
}) {
  const lanes = [
    { name: 'Runs', marks: [...runs.map(runMark), ...runs.filter(({ state }) => state === 'crashed').map(crashMark)] },
    { name: 'Levels', marks: levelMarks(warnings, runs, to) },
    { name: 'Cycles', marks: cycles.map(cycleMark) },
    { name: 'Changes', marks: changes.filter((change) => change.data.reason !== 'cache-created').map(changeMark) },
  ]
  const place = (at: number) => ((at - from) / (to - from)) * 100
  return (
    <>
      <dl class="lanes">
        {lanes.map(({ name, marks }) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>
              {marks
                .filter((mark) => (mark.to ?? mark.from) >= from && mark.from <= to)
                .map((mark) => {
                  const start = Math.max(0, place(mark.from))
                  const end = Math.min(100, place(mark.to ?? mark.from))
                  return (
                    <span
                      key={mark.id}
                      data-kind={mark.kind}
                      class={mark.to === undefined ? 'moment' : 'stretch'}
                      style={{ left: `${start}%`, width: mark.to === undefined ? '' : `${end - start}%` }}
                      title={`${localText(mark.from)}: ${mark.text}`}
                    />
                  )
                })}
            </dd>
          </div>
        ))}
      </dl>
      <p class="legend">
        {LEGEND.map(([kind, name, shape]) => (
          <span key={kind}>
            <i class={shape} data-kind={kind} /> {name}
          </span>
        ))}
      </p>
    </>
  )
}

const LEGEND = [
  ['run', 'run', 'swatch'],
  ['crash', 'crash', 'swatch'],
  ['warning', 'warning', 'swatch'],
  ['critical', 'critical, emergency', 'swatch'],
  ['cycle', 'eviction cycle', ''],
  ['change', 'change', ''],
] as const

function runMark(run: Run): Mark {
  return {
    id: run.run,
    from: Date.parse(run.startedAt),
    to: Date.parse(run.stoppedAt ?? run.lastAt),
    kind: run.state,
    text: `run ${run.run.slice(0, 8)}, ${run.state}, ${countInWords(run.evictedItems, 'eviction')}`,
  }
}

/** Where the log last heard of it: seen, however short the run was. */
function crashMark(run: Run): Mark {
  return {
    id: `${run.run} crashed`,
    from: Date.parse(run.lastAt),
    kind: 'crash',
    text: `run ${run.run.slice(0, 8)} crashed: the log's last word of it`,
  }
}

/** From the entering of a level to its next change, or to the end of its run. */
function levelMarks(warnings: readonly Warning[], runs: readonly Run[], now: number): Mark[] {
  const sorted = warnings.toSorted((a, b) => a.at.localeCompare(b.at))
  return sorted.flatMap((warning, index) => {
    if (warning.to === 'normal') return []
    const run = runs.find((one) => one.run === warning.run)
    const next = sorted[index + 1]
    const end = next?.run === warning.run ? next.at : run?.state === 'running' ? null : (run?.stoppedAt ?? run?.lastAt)
    return [
      {
        id: `${warning.run}:${warning.seq}`,
        from: Date.parse(warning.at),
        to: end === null || end === undefined ? now : Date.parse(end),
        kind: warning.to,
        text: `${warning.to}, entered at ${percent(warning.usage)}`,
      },
    ]
  })
}

function cycleMark(cycle: Cycle): Mark {
  return {
    id: cycle.cycle,
    from: Date.parse(cycle.startedAt),
    kind: 'cycle',
    text: `${cycle.trigger} cycle, ${countInWords(cycle.count ?? 0, 'entry', 'entries')}, usage from ${percent(cycle.usageBefore)} to ${percent(cycle.usageAfter)}`,
  }
}

function changeMark(change: Change): Mark {
  return {
    id: `${change.run}:${change.seq}`,
    from: Date.parse(change.at),
    kind: 'change',
    text: `${change.text}${change.actor === null ? '' : `, by ${change.actor}`}`,
  }
}
