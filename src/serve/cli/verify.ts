import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import type { Command } from 'commander'
import type { Anchor, RunVerification, Verification } from '../../query/answers.ts'
import { faultInWords, verificationAnswer } from '../answers.ts'
import { askLog, type LogOptions, logCommand } from './log-command.ts'
import { EXIT, print, printJson, prose, terminalWidth, usageError } from './output.ts'
import { type Column, table } from './table.ts'
import { count, localTime } from './text.ts'

interface VerifyOptions extends LogOptions {
  readonly run?: string
  readonly anchor?: string
  readonly writeAnchor?: string
}

const COLUMNS: readonly Column<RunVerification>[] = [
  { title: 'RUN', text: (row) => row.run },
  { title: 'STATE', text: (row) => row.state },
  { title: 'BATCHES', text: (row) => count(row.batches), right: true },
  { title: 'ROWS', text: (row) => count(row.rows), right: true },
  { title: 'LAST SEQ', text: (row) => count(row.lastSeq), right: true },
  { title: 'RETIRED TO', text: (row) => (row.retiredTo === null ? '-' : count(row.retiredTo)), right: true },
]

/** `muninn verify`: whether the log is as it was written. */
export function verifyCommand(): Command {
  return logCommand('verify', 'whether the log is complete and untouched')
    .option('--run <id>', 'only this run')
    .option('--anchor <file>', 'compare with an anchor that was written earlier, and kept elsewhere')
    .option('--write-anchor <file>', 'write an anchor, if the log is untouched')
    .action(async (options: VerifyOptions) => {
      const anchor = options.anchor === undefined ? undefined : readAnchor(options.anchor)
      const { run } = options
      const found = await askLog(options, (history) =>
        history.verify({
          ...(run === undefined ? {} : { run }),
          ...(anchor === undefined ? {} : { anchor }),
          onProgress: showProgress,
        }),
      )
      clearProgress()
      if (options.json === true) printJson(verificationAnswer(found))
      else print(found.runs.length === 0 ? 'no run in this log for this question' : asText(found))
      if (!found.intact) process.exitCode = EXIT.no
      else if (options.writeAnchor !== undefined) writeAnchor(options.writeAnchor, found.anchor)
    })
}

function asText(found: Verification): string {
  const lines = [table(COLUMNS, found.runs, terminalWidth()), '']
  for (const { run, fault } of found.runs) if (fault !== null) lines.push(prose(`${run}: ${faultInWords(fault)}`))
  const verdict = found.intact
    ? `Untouched: ${count(found.rows)} rows are as they were written.`
    : 'Not as it was written. What comes after the first fault of a run is not verified.'
  lines.push(prose(verdict))
  if (found.incomplete !== null) lines.push('', prose(`Incomplete: ${found.incomplete}`))
  return lines.join('\n')
}

function readAnchor(file: string): Anchor {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw usageError(`--anchor: can't read ${file}: ${error instanceof Error ? error.message : String(error)}`)
  }
  try {
    return JSON.parse(text) as Anchor
  } catch {
    throw usageError(`--anchor: ${file} is not an anchor: write one with --write-anchor`)
  }
}

/** Whole or not at all: an anchor that is cut off would be none. */
function writeAnchor(file: string, anchor: Anchor): void {
  try {
    writeFileSync(`${file}.new`, `${JSON.stringify(anchor, null, 2)}\n`)
    renameSync(`${file}.new`, file)
  } catch (error) {
    throw usageError(`--write-anchor: can't write ${file}: ${error instanceof Error ? error.message : String(error)}`)
  }
  process.stderr.write(`anchor of ${localTime(anchor.madeAt)} written to ${file}\n`)
}

/** On a terminal only: a line that is written over. */
function showProgress(rows: number, of: number): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[Kverified ${count(rows)} of ${count(of)} rows`)
}

function clearProgress(): void {
  if (process.stderr.isTTY) process.stderr.write('\r\u001b[K')
}
