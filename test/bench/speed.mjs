// Speed side by side with peers: `npm run bench:speed`. Contestants take turns, a slice each, so that the machine's noise hits all.
import { fork } from 'node:child_process'
import { contestants } from './contestants.mjs'
import { machine, writeSection } from './report.mjs'

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 15)
const CASES = [
  { keyCount: 100_000, capacity: 1_000 },
  { keyCount: 100_000, capacity: 10_000 },
  { keyCount: 1_000_000, capacity: 100_000 },
  { keyCount: 100_000, capacity: 100_000, note: 'all hits' },
]
const only = process.argv[2]?.split(';')
const names = Object.keys(contestants).filter(
  (name) => only === undefined || name === 'lru-cache' || only.includes(name),
)

const rows = []
for (const one of CASES) {
  const processes = await Promise.all([])
  for (const name of names) processes.push(await start(name, one))
  const times = new Map(names.map((name) => [name, []]))
  for (let round = 0; round < ROUNDS; round++) {
    for (const { name, child } of processes) times.get(name).push(await ask(child, { run: true }, (m) => m.ns))
  }
  for (const { child } of processes) child.send({ stop: true })
  const base = times.get('lru-cache')
  const row = names.map((name) => ({
    name,
    ns: median(times.get(name)),
    ratio: median(times.get(name).map((ns, i) => base[i] / ns)),
  }))
  rows.push({ ...one, row })
  console.log(`${one.keyCount} keys, ${one.capacity} entries${one.note ? ` (${one.note})` : ''}`)
  for (const { name, ns, ratio } of row)
    console.log(`  ${name.padEnd(28)} ${ns.toFixed(0).padStart(5)} ns  ${ratio.toFixed(2)}`)
}

if (only === undefined) {
  const heads = CASES.map(
    ({ keyCount, capacity, note }) =>
      `${keyCount / 1000}k keys / ${capacity / 1000}k entries${note ? `, ${note}` : ''}`,
  )
  const lines = names.map(
    (name, i) =>
      `| ${name} | ${rows.map(({ row }) => `${row[i].ratio.toFixed(2)} (${row[i].ns.toFixed(0)} ns)`).join(' | ')} |`,
  )
  writeSection('speed', [
    `Measured by \`npm run bench:speed\` on ${machine()}. Speed relative to lru-cache (above 1: faster), median of ${ROUNDS} rounds, with ns per operation.`,
    '',
    `| | ${heads.join(' | ')} |`,
    `|---|${heads.map(() => '---').join('|')}|`,
    ...lines,
  ])
}

function start(name, one) {
  const child = fork(new URL('./contestant-process.mjs', import.meta.url))
  return ask(child, { prepare: { name, ...one } }, () => ({ name, child }))
}

function ask(child, message, answer) {
  return new Promise((resolve, reject) => {
    const failed = (code) => reject(new Error(`a contestant ended with code ${code}`))
    child.once('exit', failed)
    child.once('message', (reply) => {
      child.off('exit', failed)
      resolve(answer(reply))
    })
    child.send(message)
  })
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[sorted.length >> 1]
}
