import type { Command } from 'commander'
import type { Diagnosis, Finding } from '../../query/history.ts'
import { diagnosisAnswer } from '../analysis-answers.ts'
import { coloured } from './colour.ts'
import { askLog, logCommand, logPath, type RangeOptions, rangeOf, withRange } from './log-command.ts'
import { print, printJson, prose } from './output.ts'
import { localTime, printable } from './text.ts'

interface DoctorOptions extends RangeOptions {
  readonly cache?: string
}

const COLOURS = { critical: 'red', warning: 'yellow', notice: 'dim' } as const

/** `muninn doctor`: what is wrong by the data, and the one setting to change. */
export function doctorCommand(): Command {
  return withRange(logCommand('doctor', 'what is wrong, by the data, and what to change (default: the last 24 hours)'))
    .option('--cache <name>', 'only this cache')
    .action(async (options: DoctorOptions) => {
      const { cache } = options
      const diagnosis = await askLog(options, (history) =>
        history.doctor({ ...rangeOf(options), ...(cache === undefined ? {} : { cache }) }),
      )
      if (options.json === true) printJson(diagnosisAnswer(diagnosis))
      else print(asText(diagnosis, logPath(options)))
    })
}

function asText({ since, until, items, looked, incomplete }: Diagnosis, path: string): string {
  const when = since === null ? '' : `, ${localTime(since).slice(0, 16)} to ${localTime(until).slice(0, 16)}`
  const parts = items.map(findingText)
  if (items.length === 0) parts.push(coloured('Nothing found.', 'green'))
  parts.push([prose(`Looked at ${path}${when}:`), ...looked.map((line) => prose(line, '  '))].join('\n'))
  if (incomplete !== null) parts.push(prose(`Incomplete: ${incomplete}`))
  return parts.join('\n\n')
}

function findingText({ finding, cache, severity, evidence, setting, from, to, advice }: Finding): string {
  const where = cache === null ? '' : ` in cache ${printable(cache)}`
  return [
    coloured(`${severity.toUpperCase()}: ${finding}${where}`, COLOURS[severity]),
    ...evidence.map((sentence) => prose(sentence, '  ')),
    prose(`Change ${setting} from ${from} to ${to}. ${advice}`, '  '),
  ].join('\n')
}
