import type { Command } from 'commander'
import type { Explanation, LifeEvent } from '../../query/answers.ts'
import { explanationAnswer } from '../answers.ts'
import { askLog, type LogOptions, logCommand } from './log-command.ts'
import { print, printJson, prose, terminalWidth } from './output.ts'
import { type Column, table } from './table.ts'
import { localTime, printable } from './text.ts'

interface ExplainOptions extends LogOptions {
  readonly cache?: string
  readonly run?: string
}

const LIFE: readonly Column<LifeEvent>[] = [
  { title: 'TIME', text: (event) => localTime(event.at) },
  { title: 'EVENT', text: (event) => event.type },
  { title: 'WHAT HAPPENED', text: (event) => event.text, flexible: true, wraps: true },
]

/** `muninn explain KEY`: why a key isn't there any more, and what would have kept it. */
export function explainCommand(): Command {
  return logCommand('explain', "a key's life: why it isn't there any more, and what would have kept it")
    .argument('<key>', 'the key, as the program spelled it')
    .option('--cache <name>', 'only in this cache')
    .option('--run <id>', 'only in this run')
    .action(async (key: string, options: ExplainOptions) => {
      const { cache, run } = options
      const explanation = await askLog(options, (history) =>
        history.explain(key, { ...(cache === undefined ? {} : { cache }), ...(run === undefined ? {} : { run }) }),
      )
      if (options.json === true) printJson(explanationAnswer(explanation))
      else print(asText(explanation))
    })
}

function asText({ key, cache, verdict, summary, life, incomplete }: Explanation): string {
  const where = cache === null ? '' : ` in cache ${printable(cache)}`
  const parts = [`${printable(key)}${where}: ${verdict}`, ...summary.map((sentence) => prose(sentence, '  '))]
  if (life.length > 0) parts.push('', table(LIFE, life, terminalWidth()))
  if (incomplete !== null) parts.push('', prose(`Incomplete: ${incomplete}`))
  return parts.join('\n')
}
