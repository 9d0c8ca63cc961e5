import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import type { AuditOptions } from '../../src/base/audit-options.ts'
import type { Anchor, VerifyQuestion } from '../../src/query/answers.ts'
import { openHistory } from '../../src/query/history.ts'
import type { AuditFolder } from './audit-file.ts'
import { deferred } from './deferred.ts'

const VICTIM = fileURLToPath(new URL('victim.mjs', import.meta.url))

export interface Victim {
  readonly process: ChildProcess
  /** What it has written to standard error. */
  readonly words: () => string
  /** Resolves when its run has begun, and when some of it is on disk. */
  readonly begun: Promise<unknown>
  readonly written: Promise<unknown>
  /** Resolves with its exit code and signal. */
  readonly ended: Promise<readonly [code: number | null, signal: NodeJS.Signals | null]>
}

export interface VictimOptions {
  readonly path: string
  /** The side file. */
  readonly told: string
  /** Whether the writer can keep up. */
  readonly load?: 'calm' | 'steady' | 'flood'
  /** How it ends by itself; left out, it runs until it is killed. */
  readonly ending?: 'memory' | 'throw' | 'reject' | 'signal' | 'exit' | 'abort'
  readonly audit?: Omit<AuditOptions, 'path'>
  readonly execArgv?: readonly string[]
  /** A program that runs the one that follows its own arguments. */
  readonly within?: readonly string[]
}

/** Starts a process of the built package that evicts under load. */
export function startVictim(options: VictimOptions): Victim {
  const { path, told, load = 'steady', ending, audit = {}, execArgv = [], within = [] } = options
  const parameters = [path, told, load, ending ?? 'killed', JSON.stringify(audit)]
  const [program, ...rest] = [...within, process.execPath, ...execArgv, VICTIM, ...parameters] as [string]
  const child = spawn(program, rest, { stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  // With what it runs within: a test that fails leaves nobody behind.
  onTestFinished(() => {
    try {
      process.kill(-(child.pid as number), 'SIGKILL')
    } catch {
      // It has ended.
    }
  })
  const heard = { begun: deferred<void>(), written: deferred<void>() }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    if (text.includes('begun')) heard.begun.resolve()
    if (text.includes('written')) heard.written.resolve()
  })
  let words = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    words += text
  })
  return {
    process: child,
    words: () => words,
    begun: heard.begun.promise,
    written: heard.written.promise,
    ended: once(child, 'close').then(([code, signal]) => [code, signal] as const),
  }
}

/** What a victim told of itself. */
interface Told {
  readonly run: string
  /** The last `seq` that it knew to be on disk. */
  readonly acknowledgedSeq: number
  /** `seq` and number of the key of everything that left its cache. */
  readonly left: ReadonlyMap<number, number>
  /** When it told of each of them, and last of all. */
  readonly toldAt: ReadonlyMap<number, number>
  readonly lastAt: number
}

/** The last that a victim told of its log, and the id of its process. */
export function lastTold(path: string): { pid: number; acknowledgedSeq: number; lostEvents: number } {
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1)
  const { pid } = JSON.parse(lines[0] ?? '{}') as { pid: number }
  const { acknowledgedSeq = 0, lostEvents = 0 } = JSON.parse((lines.length > 1 && lines.at(-1)) || '{}')
  return { pid, acknowledgedSeq, lostEvents }
}

function readTold(path: string): Told {
  // The last line may be cut off.
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1)
  const left = new Map<number, number>()
  const toldAt = new Map<number, number>()
  let acknowledgedSeq = 0
  let lastAt = 0
  for (const line of lines.slice(1)) {
    const turn = JSON.parse(line) as { at: number; acknowledgedSeq: number; left: number[] }
    acknowledgedSeq = turn.acknowledgedSeq
    lastAt = turn.at
    for (let i = 0; i < turn.left.length; i += 2) {
      left.set(turn.left[i] as number, turn.left[i + 1] as number)
      toldAt.set(turn.left[i] as number, turn.at)
    }
  }
  return { run: (JSON.parse(lines[0] ?? '{}') as { run: string }).run, acknowledgedSeq, left, toldAt, lastAt }
}

export interface Findings {
  readonly run: string
  /** Breaches of what the log promises, in words: none, if all is well. */
  readonly breaches: readonly string[]
  /** Departures that left the cache, as far as the victim came to tell. */
  readonly told: number
  /** Of them, those that the file does not have, and how long before the last word the oldest of them was. */
  readonly missing: number
  readonly missingFor: number
  readonly lastSeq: number
}

interface Span {
  readonly first: number
  readonly last: number
  /** 0: a gap, or retention has taken its rows. */
  readonly isWhole: 0 | 1
}

/** Whether the hash chain is whole; the links that are not, otherwise. */
export async function verify(path: string, question: VerifyQuestion): Promise<{ faults: unknown[]; anchor: Anchor }> {
  const history = openHistory(path)
  try {
    const { intact, runs, anchor } = await history.verify(question)
    return { faults: intact ? [] : runs.filter(({ state }) => state !== 'intact'), anchor }
  } finally {
    await history.close()
  }
}

/** Opens the file of a dead process and compares it with what that process told. */
export function autopsy(files: AuditFolder, path: string, told: string): Findings {
  const { run, acknowledgedSeq, left, toldAt, lastAt } = readTold(told)
  const breaches: string[] = []
  const database = files.connect(path)
  try {
    const sound = database.pragma('integrity_check', { simple: true })
    if (sound !== 'ok') breaches.push(`integrity_check: ${sound}`)
    if ((database.pragma('foreign_key_check') as unknown[]).length > 0) breaches.push('rows of no run')
    const isMade = database.prepare("select 1 from sqlite_schema where name = 'runs'").get() !== undefined
    const found = (isMade ? database : null)
      ?.prepare('select id, last_seq, evicted_items as evicted, lost_events as lost from runs where run = ?')
      .get(run) as { id: number; last_seq: number; evicted: number; lost: number } | undefined
    if (found === undefined) {
      if (acknowledgedSeq > 0) breaches.push(`${run} has no row, and up to ${acknowledgedSeq} was acknowledged`)
      return { run, breaches, told: left.size, missing: left.size, missingFor: Number.NaN, lastSeq: 0 }
    }
    const keys = new Map<number, number>()
    const rows = database
      .prepare(
        `select seq, key, 0 as kind from evictions where run_id = :id
         union all select seq, key, 1 from key_events where run_id = :id`,
      )
      .all({ id: found.id }) as { seq: number; key: string; kind: number }[]
    let evicted = 0
    for (const { seq, key, kind } of rows) {
      if (keys.has(seq)) breaches.push(`seq ${seq} is there twice`)
      keys.set(seq, Number(key.slice(key.indexOf(':') + 1)))
      if (kind === 0) evicted++
    }
    const spans = database
      .prepare(
        `select first_seq as first, last_seq as last, kind = 'rows' as isWhole from batches where run_id = :id
         union all select first_seq, last_seq, 0 from gaps where run_id = :id and reason <> 'crash' order by 1`,
      )
      .all({ id: found.id }) as Span[]
    let covered = 0
    for (const { first, last } of spans) {
      if (first !== covered + 1) breaches.push(`${covered} is followed by ${first}`)
      covered = last
    }
    if (covered !== found.last_seq) breaches.push(`covered up to ${covered}, last_seq is ${found.last_seq}`)
    if (covered < acknowledgedSeq) breaches.push(`up to ${acknowledgedSeq} was acknowledged, ${covered} is there`)
    const isGone = (seq: number) =>
      spans.some(({ first, last, isWhole }) => isWhole === 0 && first <= seq && seq <= last)
    if (spans.every(({ isWhole }) => isWhole === 1) && evicted !== found.evicted) {
      breaches.push(`${evicted} evictions, the run counts ${found.evicted}`)
    }
    const counted = database
      .prepare("select coalesce(sum(count), 0) from rollups where run_id = ? and type = 'evicted'")
      .pluck()
      .get(found.id)
    if (counted !== found.evicted) breaches.push(`the rollups count ${counted} evictions, the run ${found.evicted}`)
    let missing = 0
    let missingFor = 0
    for (const [seq, key] of left) {
      if (keys.get(seq) === key) continue
      if (keys.has(seq)) breaches.push(`seq ${seq} is of key ${keys.get(seq)}, not ${key}`)
      missing++
      missingFor = Math.max(missingFor, lastAt - (toldAt.get(seq) ?? 0))
      if (seq <= covered && !isGone(seq)) breaches.push(`seq ${seq} is missing below ${covered}`)
    }
    return { run, breaches, told: left.size, missing, missingFor, lastSeq: found.last_seq }
  } finally {
    database.close()
  }
}
