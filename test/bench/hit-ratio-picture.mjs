/* Hit ratio by capacity, a small picture for each trace: SVG, which needs nothing to be drawn with. */

const WIDTH = 250
const HEIGHT = 150
const COLUMNS = 4
const LEFT = 34
const TOP = 24
const RIGHT = 8
const BOTTOM = 22
const HEAD = 44

/** Lines are ours, at every capacity; points those of others, where they were measured. */
const LINES = [
  { name: 'hybrid', colour: '#c2410c', width: 2 },
  { name: 'lru', colour: '#6b7280', width: 1.2 },
]
const POINTS = [
  { name: 'belady', title: 'Bélády (optimum)', colour: '#111827' },
  { name: 'best', title: 'best of 18 others', colour: '#1d4ed8' },
  { name: 'caffeine-2.6.2', title: 'Caffeine', colour: '#0f766e' },
]

export function picture(rows) {
  const traces = [...new Set(rows.map(({ trace, unit }) => `${trace} ${unit}`))]
  const height = HEAD + Math.ceil(traces.length / COLUMNS) * HEIGHT
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${COLUMNS * WIDTH} ${height}" font-family="sans-serif" font-size="10">`,
    '<title>Hit ratio by capacity, for each trace</title>',
    `<rect width="${COLUMNS * WIDTH}" height="${height}" fill="#ffffff"/>`,
    legend(),
    ...traces.map((name, i) =>
      panel(
        name,
        rows
          .filter(({ trace, unit }) => `${trace} ${unit}` === name)
          .sort((a, b) => Number(a.percent) - Number(b.percent)),
        (i % COLUMNS) * WIDTH,
        HEAD + Math.floor(i / COLUMNS) * HEIGHT,
      ),
    ),
    '</svg>',
    '',
  ].join('\n')
}

function legend() {
  const entries = [
    ...LINES.map(({ name, colour }) => ({
      text: `ours: ${name}`,
      mark: `<path d="M0 0h18" stroke="${colour}" stroke-width="2"/>`,
    })),
    ...POINTS.map(({ title, colour }) => ({ text: title, mark: `<circle cx="9" r="3" fill="${colour}"/>` })),
  ]
  return entries
    .map(
      ({ text, mark }, i) =>
        `<g transform="translate(${12 + i * 150} 20)">${mark}<text x="24" y="4">${text}</text></g>`,
    )
    .join('\n')
}

function panel(name, rows, left, top) {
  const width = WIDTH - LEFT - RIGHT
  const height = HEIGHT - TOP - BOTTOM
  const percents = rows.map(({ percent }) => Math.log(Number(percent)))
  const [first, last] = [Math.min(...percents), Math.max(...percents)]
  const x = (row) => (LEFT + ((Math.log(Number(row.percent)) - first) / (last - first)) * width).toFixed(1)
  const y = (ratio) => (TOP + (1 - ratio) * height).toFixed(1)
  const grid = [0, 0.5, 1].map(
    (ratio) =>
      `<path d="M${LEFT} ${y(ratio)}h${width}" stroke="#e5e7eb"/><text x="${LEFT - 4}" y="${Number(y(ratio)) + 3}" text-anchor="end" fill="#6b7280">${ratio}</text>`,
  )
  const ticks = rows.map(
    (row) =>
      `<text x="${x(row)}" y="${HEIGHT - 8}" text-anchor="middle" fill="#6b7280" font-size="8">${row.percent}%</text>`,
  )
  const lines = LINES.map(({ name: policy, colour, width: stroke }) => {
    const points = rows.map((row) => `${x(row)},${y(row.ours[policy])}`).join(' ')
    return `<polyline points="${points}" fill="none" stroke="${colour}" stroke-width="${stroke}"/>`
  })
  const points = POINTS.flatMap(({ name: anchor, colour }) =>
    rows
      .filter((row) => row[anchor] !== undefined && row[anchor] !== '-')
      .map((row) => `<circle cx="${x(row)}" cy="${y(Number(row[anchor]))}" r="2.2" fill="${colour}"/>`),
  )
  return `<g transform="translate(${left} ${top})"><text x="${LEFT}" y="${TOP - 8}" font-weight="bold">${name}</text>\n${[...grid, ...ticks, ...points, ...lines].join('\n')}</g>`
}
