import { once } from 'node:events'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { EVENT_TYPES } from '../../event/catalogue.ts'
import type { Exported, ExportQuestion } from '../../query/answers.ts'
import { askLog, type LogOptions, logCommand, timeArgument } from './log-command.ts'
import { usageError } from './output.ts'

interface ExportOptions extends LogOptions {
  readonly format?: 'jsonl' | 'csv'
  readonly run?: string
  readonly since?: number
  readonly until?: number
  readonly type?: readonly string[]
}

const TYPES: readonly string[] = [...EVENT_TYPES, 'gap']

/** `muninn export`: what the log has, event by event, as it is read. */
export function exportCommand(): Command {
  return logCommand('export', 'every event in the log, as JSON lines or CSV')
    .addOption(new Option('--format <format>', 'how (default: jsonl)').choices(['jsonl', 'csv']))
    .option('--run <id>', 'only of this run')
    .option('--since <time>', 'from this time on: ISO 8601, or ago as -2h', timeArgument)
    .option('--until <time>', 'before this time', timeArgument)
    .option('--type <types>', `only these types of event, separated by commas (${TYPES.join(', ')})`, typesArgument)
    .action(async (options: ExportOptions) => {
      const { run, since, until, type: types, format = 'jsonl', json = false } = options
      if (json && format === 'csv') throw usageError('--json is one JSON document: it does not go with --format csv')
      const question: ExportQuestion = {
        ...(run === undefined ? {} : { run }),
        ...(since === undefined ? {} : { since }),
        ...(until === undefined ? {} : { until }),
        ...(types === undefined ? {} : { types }),
      }
      await askLog(options, async (history) => {
        if (json) await writeDocument(history.exportText('jsonl', question))
        else await writeLines(history.exportText(format, question))
      })
    })
}

function typesArgument(text: string): readonly string[] {
  const types = text.split(',').map((type) => type.trim())
  const wrong = types.find((type) => !TYPES.includes(type))
  if (wrong !== undefined) throw new InvalidArgumentError(`${wrong} is none of ${TYPES.join(', ')}.`)
  return types
}

async function writeLines(exported: Exported<string>): Promise<void> {
  for await (const lines of exported) await write(lines)
  // Beside the lines, which stay what they are.
  if (exported.incomplete !== null) process.stderr.write(`Incomplete: ${exported.incomplete}\n`)
}

/** One JSON document, written as it is read. */
async function writeDocument(exported: Exported<string>): Promise<void> {
  let separator = '\n'
  await write('{ "items": [')
  for await (const lines of exported) {
    await write(separator + lines.trimEnd().replaceAll('\n', ',\n'))
    separator = ',\n'
  }
  await write(`\n], "next": null, "incomplete": ${JSON.stringify(exported.incomplete)} }\n`)
}

/** Waits for whoever reads: what is not taken yet stays in the log, not in memory. */
async function write(text: string): Promise<void> {
  if (!process.stdout.write(text)) await once(process.stdout, 'drain')
}
