import type { Command } from 'commander'
import type { RegretAnswer, RegretRecord } from '../../query/history.ts'
import { regretAnswer } from '../analysis-answers.ts'
import { coloured } from './colour.ts'
import { askLog, type ListOptions, listCommand, printPage, questionOf } from './log-command.ts'
import { print, printJson, prose } from './output.ts'
import type { Column } from './table.ts'
import { brief, bytes, count, duration, percent } from './text.ts'

interface RegretOptions extends ListOptions {
  readonly cache?: string
  readonly prefix?: string
}

const COLUMNS: readonly Column<RegretRecord>[] = [
  { title: 'CACHE', text: (row) => row.cache, flexible: true },
  { title: 'PREFIX', text: (row) => (row.prefix === '' ? '(none)' : row.prefix), flexible: true },
  { title: 'EVICTED', text: (row) => count(row.evicted), right: true },
  { title: 'REGRETTED', text: (row) => count(row.regretted), right: true },
  { title: 'SHARE', text: (row) => percent(row.evicted === 0 ? null : row.regretted / row.evicted), right: true },
  { title: 'BYTES', text: (row) => bytes(row.bytes), right: true },
  { title: 'COST', text: (row) => count(Math.round(row.cost)), right: true },
  { title: 'AFTER', text: (row) => brief(row.delay), right: true },
]

/** `muninn regrets`: what was evicted and asked for again, how soon, and what that cost. */
export function regretsCommand(): Command {
  return listCommand('regrets', 'what was evicted and asked for again, how soon, and what it cost')
    .option('--cache <name>', 'only from this cache')
    .option('--prefix <prefix>', 'only this key prefix')
    .action(async (options: RegretOptions) => {
      const { cache, prefix } = options
      const answer = await askLog(options, (history) =>
        history.regrets({
          ...questionOf(options),
          ...(cache === undefined ? {} : { cache }),
          ...(prefix === undefined ? {} : { prefix }),
        }),
      )
      if (options.json === true) {
        printJson(regretAnswer(answer))
        return
      }
      if (answer.items.length > 0) print(`${coloured(totals(answer), 'bold')}\n`)
      const prefixes = answer.items.map(({ prefix }) => prefix)
      printPage(answer, options, { name: 'regrets', columns: COLUMNS, answer: (row) => row, prefixes })
    })
}

function totals({ total, delays, remembered }: RegretAnswer): string {
  const share = total.evicted === 0 ? '' : ` (${percent(total.regretted / total.evicted)})`
  const cost = total.cost === 0 ? '' : `, at a cost of ${count(Math.round(total.cost))} (ms of loaders, or your unit)`
  const said = [
    `${count(total.regretted)} of ${count(total.evicted)} evicted entries${share} were asked for again, ${duration(total.delay)} later on average: ${bytes(total.bytes)} stored again${cost}.`,
  ]
  const soon = howSoon(delays)
  if (soon !== '') said.push(soon)
  if (remembered !== null) said.push(`Known for the last ${count(remembered)} evictions of a run at any time.`)
  return said.map((sentence) => prose(sentence)).join('\n')
}

/** Half and nine tenths of them, by the buckets' upper ends. */
function howSoon(delays: RegretAnswer['delays']): string {
  const all = delays.reduce((sum, { count: one }) => sum + one, 0)
  if (all === 0) return ''
  const within = (share: number) => {
    let seen = 0
    for (const { atMost, count: one } of delays) {
      seen += one
      if (seen >= share * all) return duration(atMost)
    }
    return '-'
  }
  return `Half of them within ${within(0.5)}, nine in ten within ${within(0.9)}.`
}
