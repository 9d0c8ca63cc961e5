import { ratioAt } from '../../base/curve/reading.ts'
import { HistoryError } from '../../base/errors.ts'
import type { Curve } from '../../event/catalogue.ts'
import { axis, chart } from './chart.ts'
import { type LogOptions, logCommand, logPath } from './log-command.ts'
import { print, printJson, prose } from './output.ts'
import { type Column, table } from './table.ts'
import { bytes, count, percent, printable } from './text.ts'

interface CurveOptions extends LogOptions {
  readonly run?: string
  readonly cache?: string
}

interface CurveRow {
  /** `null`: a trace. */
  readonly cache: string | null
  readonly curve: Curve
}

const WIDTH = 60

/** `muninn curve`: what other sizes would have hit, under LRU. */
export function curveCommand() {
  return logCommand('curve', 'hit ratio by size, under LRU: of a trace, or of what the audit log recorded')
    .argument('[trace]', 'a trace as `replay` takes it; left out, the audit log')
    .option('--run <id>', 'this run (default: the latest)')
    .option('--cache <name>', 'only this cache')
    .action(async (trace: string | undefined, options: CurveOptions) => {
      const { items, incomplete } =
        trace === undefined ? await ofLog(options) : { items: [await ofTrace(trace)], incomplete: null }
      if (options.json === true) {
        printJson({
          items: items.map(({ cache, curve: { requests, error, byItems, byBytes } }) => ({
            cache,
            requests,
            error,
            by_items: byItems,
            by_bytes: byBytes,
          })),
          next: null,
          incomplete,
        })
      } else {
        for (const row of items) print(asText(row))
        if (items.length === 0) print('no requests were recorded')
        if (incomplete !== null) print(prose(`Incomplete: ${incomplete}`))
      }
    })
}

async function ofTrace(trace: string): Promise<CurveRow> {
  const { curveOfTrace } = await import('../../replay/exact-curve.ts')
  return { cache: null, curve: (await curveOfTrace(trace)).told }
}

/** Exact where every request was recorded, else as the last check told it. */
async function ofLog(options: CurveOptions): Promise<{ items: CurveRow[]; incomplete: string | null }> {
  const { curvesOfRecording } = await import('../../replay/exact-curve.ts')
  const { OpenRecording } = await import('../../query/open-recording.ts')
  const path = logPath(options)
  const recorded = OpenRecording.open(path, options.run)
  try {
    const curves = new Map(recorded.curves())
    if (recorded.level === 'all') {
      for (const [cache, curve] of await curvesOfRecording(recorded.events())) curves.set(cache, curve.told)
    }
    const asked = [...curves].filter(([cache]) => options.cache === undefined || cache === options.cache)
    const incomplete = recorded.level === 'all' ? null : recorded.withoutCurve()
    if (options.cache !== undefined && asked.length === 0) {
      const why = incomplete === null ? '' : ` (${incomplete})`
      throw new HistoryError(
        `${path}: run ${recorded.run} has no curve of a cache ${JSON.stringify(options.cache)}${why}`,
      )
    }
    return {
      items: asked.map(([cache, curve]) => ({ cache, curve })),
      incomplete: options.cache === undefined ? incomplete : null,
    }
  } finally {
    recorded.close()
  }
}

interface Line {
  readonly items: readonly [number, number] | undefined
  readonly bytes: readonly [number, number] | undefined
}

const COLUMNS: readonly Column<Line>[] = [
  { title: 'ITEMS', text: ({ items }) => (items === undefined ? '' : count(items[0])), right: true },
  { title: 'HIT RATIO', text: ({ items }) => (items === undefined ? '' : items[1].toFixed(4)), right: true },
  { title: 'BYTES', text: ({ bytes: point }) => (point === undefined ? '' : bytes(point[0])), right: true },
  { title: 'HIT RATIO', text: ({ bytes: point }) => (point === undefined ? '' : point[1].toFixed(4)), right: true },
]

function asText({ cache, curve }: CurveRow): string {
  const name = cache === null ? '' : `Cache ${printable(cache)}: `
  const sure = curve.error === 0 ? 'exact' : `on a sample, mean error at most ${percent(curve.error)}`
  const end = curve.byItems.at(-1)?.[0] ?? 0
  const values = Array.from({ length: WIDTH }, (_, i) => ratioAt(curve.byItems, (end * (i + 1)) / WIDTH))
  const lines = Array.from({ length: Math.max(curve.byItems.length, curve.byBytes.length) }, (_, i) => ({
    items: curve.byItems[i],
    bytes: curve.byBytes[i],
  })).filter((_, i, all) => i % 4 === 3 || i === all.length - 1)
  return [
    prose(`${name}${count(curve.requests)} requests, under LRU, ${sure}.`),
    chart('hit ratio by items', values, 1, '100 %'),
    axis('0', count(end), WIDTH),
    '',
    table(COLUMNS, lines, undefined),
  ].join('\n')
}
