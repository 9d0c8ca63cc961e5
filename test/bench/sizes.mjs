// What values really cost, beside what is estimated here and elsewhere: `npm run bench:sizes`. More Nodes are named, with
// colons between them, by MUNINN_NODES.
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { serialize } from 'node:v8'
import { Stats } from '@cacheable/utils'
import sizeof from 'object-sizeof'
import { estimateSize } from '../../dist/muninn.js'
import { SHAPES, UNTOLD } from '../support/shapes.mjs'
import { machine, writeSection } from './report.mjs'

const SCRIPT = fileURLToPath(new URL('../support/estimated-shapes.mjs', import.meta.url))
const NODES = [process.execPath, ...(process.env.MUNINN_NODES ?? '').split(':').filter((node) => node !== '')]
const PEERS = {
  // The usual `sizeCalculation` of lru-cache.
  'JSON length': (value) => JSON.stringify(value)?.length,
  'object-sizeof': (value) => sizeof(value),
  'v8.serialize': (value) => serialize(value).length,
  cacheable: (value) => {
    const stats = new Stats({ enabled: true })
    stats.incrementVSize(value)
    return stats.vsize
  },
}

const measured = NODES.map((node) => ({
  version: execFileSync(node, ['--version'], { encoding: 'utf8' }).trim(),
  ...JSON.parse(execFileSync(node, ['--expose-gc', SCRIPT, '3'], { encoding: 'utf8', maxBuffer: 2 ** 24 })),
}))
const within = (pairs, share) => pairs.filter(({ real, said }) => Math.abs(said / real - 1) <= share).length

writeSection('sizes', [...summary(), '', ...table('shapes', SHAPES), '', ...costs()], 'memory')
writeSection('untold', table('untold', UNTOLD), 'memory')

function summary() {
  const rows = measured.map(({ version, shapes }) => counted(`muninn-cache, Node ${version}`, shapes))
  const peers = Object.entries(PEERS).map(([name, ask]) =>
    counted(
      name,
      measured[0].shapes.map((shape) => ({ ...shape, estimated: asked(ask, SHAPES[shape.name]) ?? 0 })),
    ),
  )
  return [
    `Measured by \`npm run bench:sizes\` on ${machine()}. Growth of heap and external memory per copy, median of three.`,
    '',
    '| of the shapes below | within 10 % | within 25 % | too low by half or more |',
    '|---|--:|--:|--:|',
    ...rows,
    ...peers,
  ]
}

function counted(name, shapes) {
  const pairs = shapes.map(({ real, estimated }) => ({ real, said: estimated }))
  const low = pairs.filter(({ real, said }) => said <= real / 2).length
  return `| ${name} | ${within(pairs, 0.1)} of ${pairs.length} | ${within(pairs, 0.25)} | ${low} |`
}

function table(part, makers) {
  const heads = measured.map(({ version }) => `${version}: real | estimated`)
  return [
    `| shape | ${heads.join(' | ')} | ${Object.keys(PEERS).join(' | ')} |`,
    `|---|${'--:|'.repeat(2 * NODES.length + Object.keys(PEERS).length)}`,
    ...measured[0][part].map(({ name }, i) => {
      const cells = measured.flatMap((one) => [one[part][i].real.toFixed(0), shown(one[part][i])])
      const peers = Object.values(PEERS).map((ask) => asked(ask, makers[name]) ?? '–')
      return `| ${name} | ${[...cells, ...peers].join(' | ')} |`
    }),
  ]
}

/** Bold where it is off by more than 10 %. */
function shown({ real, estimated }) {
  const text = estimated.toFixed(0)
  return Math.abs(estimated / real - 1) > 0.1 ? `**${text}**` : text
}

function asked(ask, make) {
  try {
    const size = ask(make(1000))
    return Number.isFinite(size) ? size : undefined
  } catch {
    return undefined
  }
}

function costs() {
  const flat = {
    a: 1,
    b: 2,
    c: 0.5,
    d: Buffer.from('some name 12345').toString(),
    e: true,
    f: null,
    g: 7,
    h: 8,
    i: 9,
    j: 10,
  }
  const million = (make) => Array.from({ length: 1_000_000 }, (_, i) => make(i))
  const user = SHAPES['a user of an API'](1)
  const rows = [
    ['a flat object of ten fields', flat, 200_000],
    ['a user of an API', user, 50_000],
    ['an array of a million numbers', million((i) => i), 1000],
    ['an array of a million objects', million((id) => ({ id })), 50],
    ['a Map of a million objects', new Map(million((id) => [id, { id }])), 50],
    [
      'an object of 100,000 properties',
      Object.fromEntries(
        million((i) => i)
          .slice(0, 100_000)
          .map((i) => [`k${i}`, i]),
      ),
      5,
    ],
  ]
  return [
    '| one estimate of | takes |',
    '|---|--:|',
    ...rows.map(([name, value, times]) => `| ${name} | ${inWords(timeOf(() => estimateSize(value), times))} |`),
    `| \`structuredClone\` of a user of an API, for comparison (\`clone: true\`) | ${inWords(timeOf(() => structuredClone(user), 20_000))} |`,
  ]
}

/** ns of one call, the median of seven slices. */
function timeOf(call, times) {
  const slices = Array.from({ length: 7 }, () => {
    const start = process.hrtime.bigint()
    for (let i = 0; i < times; i++) call()
    return Number(process.hrtime.bigint() - start) / times
  })
  return slices.sort((a, b) => a - b)[3]
}

function inWords(ns) {
  if (ns < 10_000) return `${(ns / 1000).toFixed(2)} µs`
  return ns < 1_000_000 ? `${(ns / 1000).toFixed(0)} µs` : `${(ns / 1e6).toFixed(1)} ms`
}
