import type { ReplayResult } from '../../replay/replay.ts'
import type { WhatIfResult } from '../../replay/what-if.ts'
import { type LogOptions, logCommand, logPath } from './log-command.ts'
import { print, printJson, prose, terminalWidth, usageError } from './output.ts'
import { Asked, Progress, type RunFlags, withRuns } from './replay-runs.ts'
import { type Column, table } from './table.ts'
import { bytes, count } from './text.ts'

interface WhatIfFlags extends LogOptions, RunFlags {
  readonly run?: string
}

/** `muninn whatif`: what was recorded, under other policies and limits. */
export function whatIfCommand() {
  return withRuns(logCommand('whatif', 'a recorded run, or a trace, under other policies and limits'))
    .argument('[trace]', 'a trace as `replay` takes it; left out, the audit log')
    .option('--run <id>', 'this run (default: the latest)')
    .action(async (given: string | undefined, flags: WhatIfFlags) => {
      const asked = new Asked(flags)
      const trace = given ?? asked.takeFile()
      asked.demandNoRest()
      const rows = trace === undefined ? await ofLog(asked, flags) : await ofTrace(trace, asked)
      if (flags.json === true) {
        printJson({ items: rows, next: null, incomplete: null })
        return
      }
      print(table(COLUMNS, rows, terminalWidth()))
      const notes = new Set(rows.flatMap(({ note }) => (note === null ? [] : [note])))
      for (const note of notes) print(`\n${prose(`Note: ${note}.`)}`)
    })
}

async function ofLog(asked: Asked, flags: WhatIfFlags): Promise<readonly WhatIfResult[]> {
  const runs = asked.runs()
  if (runs.length === 0) throw usageError('what is to be other? Give --policy, --max-items, --max-memory, or several')
  const changes = runs.map(({ policy, maxItems, maxMemory }) => ({
    ...(policy === undefined ? {} : { policy }),
    ...(maxItems === undefined ? {} : { maxItems }),
    ...(maxMemory === undefined ? {} : { maxMemory: Number(maxMemory) }),
  }))
  const { whatIf } = await import('../../replay/what-if.ts')
  const progress = new Progress('events')
  try {
    return await whatIf(logPath(flags), changes, {
      ...(flags.run === undefined ? {} : { run: flags.run }),
      onProgress: (events) => progress.show(events),
    })
  } finally {
    progress.clear()
  }
}

async function ofTrace(trace: string, asked: Asked): Promise<readonly WhatIfResult[]> {
  const runs = asked.runs().filter(({ maxItems, maxMemory }) => maxItems !== undefined || maxMemory !== undefined)
  if (runs.length === 0) throw usageError('a trace has no limits of its own: give --max-items, --max-memory, or both')
  const { replayAll } = await import('../../replay/replay.ts')
  const progress = new Progress('requests')
  try {
    return (await replayAll(trace, runs, { onProgress: (requests) => progress.show(requests) })).map(ofReplay)
  } finally {
    progress.clear()
  }
}

function ofReplay({ policy, max_items, max_memory_bytes, requests, hits, evictions, hit_ratio }: ReplayResult) {
  const limits = { max_items, max_memory_bytes }
  return {
    kind: 'exact' as const,
    run: '',
    policy,
    ...limits,
    requests,
    hits,
    evictions,
    hit_ratio,
    error: 0,
    note: null,
  }
}

const COLUMNS: readonly Column<WhatIfResult>[] = [
  { title: '', text: (row) => row.kind },
  { title: 'POLICY', text: (row) => row.policy },
  { title: 'ITEMS', text: (row) => count(row.max_items), right: true },
  { title: 'MEMORY', text: (row) => bytes(row.max_memory_bytes), right: true },
  { title: 'REQUESTS', text: (row) => count(row.requests), right: true },
  { title: 'HIT RATIO', text: (row) => (row.hit_ratio === null ? '-' : row.hit_ratio.toFixed(4)), right: true },
  { title: 'ERROR', text: ({ error }) => (error === null ? 'unknown' : error === 0 ? '0' : `±${error}`), right: true },
  { title: 'EVICTIONS', text: (row) => count(row.evictions), right: true },
]
