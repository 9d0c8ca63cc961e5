import { useEffect, useRef } from 'preact/hooks'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { dark } from '../theme.ts'
import { localText, utcText } from './figures.tsx'

export interface ChartSeries {
  readonly name: string
  readonly values: (number | null)[]
  /** How a figure of it is written, with its unit. */
  readonly text: (value: number) => string
  readonly kind?: 'line' | 'bars'
  /** A second voice: thin and grey beside the accent. */
  readonly quiet?: boolean
  /** A colour of the theme instead of the accent. */
  readonly colour?: 'accent' | 'bad' | 'warn' | 'muted'
}

export interface ChartProps {
  /** Its name for those who can't see it, and what stands above it. */
  readonly label: string
  /** Epoch seconds, or what `across` writes; ascending. */
  readonly at: number[]
  /** What the x axis has where that isn't time. */
  readonly across?: { readonly text: (value: number) => string; readonly isBytes: boolean }
  readonly series: readonly ChartSeries[]
  readonly height: number
  /** Figures are bytes: the axis goes in steps of 1024. */
  readonly bytes?: boolean
  /** Of the y axis; left out, from the figures, from 0. */
  readonly range?: readonly [number, number]
  /** Of the x axis in epoch seconds; left out, the figures' own. */
  readonly span?: readonly [number, number]
  /** Horizontal marks: thresholds. */
  readonly marks?: readonly { readonly at: number; readonly name: string; readonly colour?: 'warn' | 'bad' }[]
  /** Charts of one group share their cursor. */
  readonly group?: string
  /** A range was drawn with the pointer; epoch seconds. */
  readonly zoomed?: (from: number, to: number) => void
  /** A point was clicked: its index. */
  readonly clicked?: (index: number) => void
}

const BYTE_STEPS = Array.from({ length: 44 }, (_, power) => 2 ** power)

/** A curve or bars over time. It is made once and then fed, so that nothing flickers; a change of theme or size keeps it. */
export function Chart(props: ChartProps) {
  const box = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | null>(null)
  const current = useRef(props)
  current.current = props
  const theme = dark.value
  const shape = props.series.map(({ name, kind, quiet, colour }) => `${name}${kind}${quiet}${colour}`).join()

  useEffect(() => {
    const element = box.current
    if (element === null) return
    const made = new uPlot(options(current, element), dataOf(current.current), element)
    plot.current = made
    const size = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: current.current.height }))
    size.observe(element)
    return () => {
      size.disconnect()
      made.destroy()
      plot.current = null
    }
  }, [theme, shape, props.height])

  useEffect(() => {
    plot.current?.setData(dataOf(props))
  }, [props.at, props.series])

  return (
    <figure class="chart">
      <div
        ref={box}
        role="img"
        aria-label={`${props.label}. ${summary(props)}`}
        style={{ height: `${props.height}px` }}
      />
      {isEmpty(props) && <figcaption class="muted">No check in this time yet</figcaption>}
    </figure>
  )
}

function isEmpty({ series }: ChartProps): boolean {
  return series.every(({ values }) => values.every((value) => value === null))
}

function dataOf({ at, series }: ChartProps): uPlot.AlignedData {
  return [at, ...series.map((one) => one.values)]
}

/** What the picture says, in words. */
function summary({ series, at, across }: ChartProps): string {
  return series
    .map(({ name, values, text }) => {
      const known = values.filter((value) => value !== null)
      const last = known.at(-1)
      if (last === undefined) return `${name}: no figures yet`
      if (across !== undefined) return `${name}: up to ${text(last)} at ${across.text(at.at(-1) ?? 0)}`
      return `${name}: ${text(last)} now, between ${text(Math.min(...known))} and ${text(Math.max(...known))}`
    })
    .join('; ')
}

function options(current: { readonly current: ChartProps }, element: HTMLElement): uPlot.Options {
  const { height, series, group, across } = current.current
  const style = getComputedStyle(element)
  const colour = (name: string) => style.getPropertyValue(`--${name}`).trim()
  const font = `11px ${style.fontFamily}`
  const axis = {
    font,
    stroke: colour('muted'),
    grid: { stroke: colour('line'), width: 1 },
    ticks: { show: false },
  }
  return {
    width: element.clientWidth,
    height,
    // A figure below the last line of the grid is wider than a time's.
    padding: [8, across === undefined ? 8 : 24, 0, 0],
    legend: { show: false },
    cursor: {
      y: false,
      ...(group === undefined ? {} : { sync: { key: group, setSeries: false } }),
      drag: { x: current.current.zoomed !== undefined, y: false, setScale: false },
      points: { size: 6 },
    },
    scales: {
      x: {
        time: across === undefined,
        range: (_, from, to) => {
          const { span } = current.current
          return span === undefined ? [from, to] : [span[0], span[1]]
        },
      },
      y: {
        range: (_, __, most) => {
          const { range } = current.current
          if (range !== undefined) return [range[0], range[1]]
          return [0, most === null || most <= 0 ? 1 : most * 1.12]
        },
      },
    },
    axes: [
      {
        ...axis,
        size: 22,
        space: 52,
        ...(across?.isBytes === true ? { incrs: BYTE_STEPS } : {}),
        values: (_, splits, __, ___, increment) =>
          splits.map((value) => (across === undefined ? axisTime(value, increment) : rounded(across.text(value)))),
      },
      {
        ...axis,
        size: 64,
        space: 26,
        ...(current.current.bytes === true ? { incrs: BYTE_STEPS } : {}),
        values: (_, splits) => splits.map((value) => axisText(current.current, value)),
      },
    ],
    series: [{}, ...series.map((one) => seriesOptions(one, colour))],
    hooks: {
      draw: [(plot) => drawMarks(plot, current.current, colour, font)],
      setSelect: [
        (plot) => {
          const { left, width } = plot.select
          if (width > 4) current.current.zoomed?.(plot.posToVal(left, 'x'), plot.posToVal(left + width, 'x'))
          plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false)
        },
      ],
      ready: [
        (plot) => {
          const tip = document.createElement('div')
          tip.className = 'tip'
          tip.hidden = true
          plot.over.append(tip)
          tips.set(plot, tip)
          let down = 0
          plot.over.addEventListener('pointerdown', (event) => {
            down = event.clientX
          })
          plot.over.addEventListener('click', (event) => {
            const index = plot.cursor.idx
            if (Math.abs(event.clientX - down) < 4 && index !== null && index !== undefined)
              current.current.clicked?.(index)
          })
        },
      ],
      setCursor: [(plot) => showTip(plot, current.current)],
    },
  }
}

function seriesOptions(
  { kind, quiet, colour: name = 'accent', text }: ChartSeries,
  colour: (name: string) => string,
): uPlot.Series {
  const stroke = colour(quiet === true ? 'muted' : name)
  const base: uPlot.Series = {
    stroke,
    width: quiet === true ? 1 : 1.5,
    points: { show: false },
    spanGaps: false,
    value: (_, value) => (value === null ? '–' : text(value)),
  }
  if (kind === 'bars') {
    const paths = uPlot.paths.bars?.({ size: [0.72, 28, 1], align: 1 })
    return { ...base, width: 0, fill: stroke, ...(paths === undefined ? {} : { paths }) }
  }
  return quiet === true ? base : { ...base, fill: colour(`${name}-weak`) }
}

function axisText({ series }: ChartProps, value: number): string {
  return rounded(series[0]?.text(value) ?? '')
}

/** Round figures need nothing behind the point. */
function rounded(text: string): string {
  return text.replace(/\.0(?=\D|$)/, '')
}

function axisTime(second: number, increment: number): string {
  const date = new Date(second * 1000)
  const two = (value: number) => String(value).padStart(2, '0')
  if (increment >= 86_400) return `${date.getDate()} ${date.toLocaleString('en', { month: 'short' })}`
  const clock = `${two(date.getHours())}:${two(date.getMinutes())}`
  return increment < 60 ? `${clock}:${two(date.getSeconds())}` : clock
}

function drawMarks(plot: uPlot, { marks = [] }: ChartProps, colour: (name: string) => string, font: string): void {
  const { ctx, bbox } = plot
  ctx.save()
  ctx.fillStyle = colour('muted')
  ctx.font = font.replace('11px', `${10 * devicePixelRatio}px`)
  ctx.textAlign = 'right'
  ctx.lineWidth = devicePixelRatio
  ctx.setLineDash([3 * devicePixelRatio, 3 * devicePixelRatio])
  marks.forEach(({ at, name, colour: own = 'mark' }, index) => {
    const y = Math.round(plot.valToPos(at, 'y', true))
    if (y < bbox.top || y > bbox.top + bbox.height) return
    ctx.strokeStyle = colour(own)
    ctx.beginPath()
    ctx.moveTo(bbox.left, y)
    ctx.lineTo(bbox.left + bbox.width, y)
    ctx.stroke()
    // Above the first, below the others: they may be close.
    ctx.fillText(name, bbox.left + bbox.width - 2, y + (index === 0 ? -3 : 10) * devicePixelRatio)
  })
  ctx.restore()
}

const tips = new WeakMap<uPlot, HTMLElement>()

/** What stands under the cursor, as text nodes: names and figures are never markup. */
function showTip(plot: uPlot, { at, series, across }: ChartProps): void {
  const tip = tips.get(plot)
  if (tip === undefined) return
  const { idx: index, left = -1 } = plot.cursor
  const time = index === null || index === undefined ? undefined : at[index]
  tip.hidden = time === undefined || left < 0
  if (time === undefined || index === null || index === undefined) return
  const lines = [
    across === undefined ? line('when', localText(time * 1000), utcText(time * 1000)) : line('size', across.text(time)),
    ...series.map(({ name, values, text }) => {
      const value = values[index]
      return line(name, value === null || value === undefined ? '–' : text(value))
    }),
  ]
  tip.replaceChildren(...lines)
  const room = plot.over.clientWidth
  const width = tip.offsetWidth
  tip.style.left = `${left + 14 + width > room ? Math.max(0, left - width - 14) : left + 14}px`
}

function line(name: string, value: string, title = ''): HTMLElement {
  const row = document.createElement('div')
  const label = document.createElement('span')
  const figure = document.createElement('b')
  label.textContent = name
  figure.textContent = value
  row.title = title
  row.append(label, figure)
  return row
}
