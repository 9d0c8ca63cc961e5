import {
  blockRow,
  CARRIED_COLUMNS,
  EVENT_KINDS,
  HASHED_COLUMNS,
  type Horizon,
  hashBatch,
  hashCarried,
  hashGap,
  hashHorizon,
  hashOfKind,
  hashRetired,
  hashRows,
  hashRun,
  NO_ROWS,
  RUN_COLUMNS,
  type SamplingLink,
  SELECT_SAMPLINGS,
  toggled,
} from '../persist/link-hash.ts'
import type { Database, Statement } from '../persist/reader.ts'
import type { AnchorPoint, ChainFault, RunVerification } from './answers.ts'
import { incompleteness } from './incomplete.ts'
import { nameRow } from './named-row.ts'

/** Rows read in one go: some 60 ms, so that other questions come in between, and an asker who has gone stops it. */
const PORTION = 20_000
const LINKS_AT_ONCE = 64

/** How far a verification has got, and what is to be compared besides. */
export interface VerifyAsked {
  readonly run: string | null
  readonly anchor: readonly AnchorPoint[]
  readonly position: VerifyPosition | null
}

/** Between two links of a run. */
export interface VerifyPosition {
  readonly id: number
  readonly run: string
  /** Hash of the link before; `null`: no link with one has been seen. */
  before: string | null
  /** Where that link begins, and what follows it. */
  first: number
  next: number
  batches: number
  rows: number
  uncoveredRows: number
  retiredTo: number | null
  /** The last link that stays one: the gap after a crash goes when the run turns out to be alive. */
  lastSeq: number
  hash: string | null
}

export interface VerifyPortion {
  /** `null`: all is verified. */
  readonly position: VerifyPosition | null
  readonly rows: number
  /** Rows of all batches, said with the first portion. */
  readonly of: number | null
  /** What the log itself says is missing, said with the last portion; `null`: nothing. */
  readonly lacking: string | null
  /** Runs that are done. */
  readonly runs: readonly RunVerification[]
}

interface Link {
  readonly first: number
  readonly last: number
  readonly kind: 'rows' | 'retired' | 'gap'
  readonly rowCount: number
  readonly hash: Buffer | null
  readonly departures: Buffer
  readonly events: Buffer
  readonly sums: Buffer
  readonly fromAt: number
  readonly toAt: number
  readonly lost: number | null
  readonly reason: string
}

const SELECT_NEXT_RUN = `
  select id, run from runs where id > :after and (:run is null or run = :run) order by id limit 1`

const COUNT_ROWS = `
  select coalesce(sum(b.row_count), 0) from batches b join runs r on r.id = b.run_id where :run is null or r.run = :run`

const SELECT_RUN = `select ${RUN_COLUMNS.join(', ')} from runs where id = ?`

const SELECT_LINKS = `
  select first_seq as first, last_seq as last, kind, row_count as rowCount, hash, departures_hash as departures,
    events_hash as events, row_sums as sums, null as fromAt, null as toAt, null as lost, null as reason
  from batches where run_id = :id and first_seq > :first
  union all
  select first_seq, last_seq, 'gap', 0, hash, null, null, null, from_at, to_at, lost, reason
  from gaps where run_id = :id and first_seq > :first
  order by first limit ${LINKS_AT_ONCE}`

const SELECT_HORIZONS = 'select kind, seq, at, carried, hash from horizons where run_id = ? order by kind'

const SELECT_CARRIED = `select ${CARRIED_COLUMNS.join(', ')}, hash from carried where run_id = ? order by seq`

/** What retention has put in the place of the link at which a verification had stopped. */
const SELECT_RETIRED = `
  select first_seq as first, last_seq as last, hash from batches
  where run_id = :id and kind = 'retired' and first_seq < :next and last_seq >= :next - 1
  order by first_seq desc limit 1`

const SELECT_STRAY = `
  select seq, 'evictions' as name from evictions where run_id = :id and seq between :first and :last
  union all
  select seq, 'key_events' from key_events where run_id = :id and seq between :first and :last
  union all
  select seq, 'events' from events where run_id = :id and seq between :first and :last
  union all
  select last_seq, 'blocks' from blocks where run_id = :id and last_seq between :first and :last
  order by seq limit 1`

/** But those that retention is just taking. */
const NOT_LEAVING = `not exists (
    select 1 from segments s
    where s.run_id = :id and s.sealed = 2 and t.seq between s.first_seq and s.last_seq
  )`

const SELECT_STRAY_DEPARTURE = `
  select seq, name from (
    select seq, 'evictions' as name from evictions where run_id = :id and seq between :first and :last
    union all
    select seq, 'key_events' from key_events where run_id = :id and seq between :first and :last
    union all
    select last_seq, 'blocks' from blocks where run_id = :id and last_seq between :first and :last
  ) t where ${NOT_LEAVING} limit 1`

/** A run's row that tells another end than its last event, where a gap or retention has not taken that. */
const SELECT_WRONG_END = `
  select 1 from runs r
  left join events e on e.run_id = r.id and e.seq = r.last_seq and e.type = 'stopped'
  where r.id = :id
    and (r.stopped_at is not e.at or r.stop_reason is not json_extract(e.data, '$.reason')
      or r.exit_code is not json_extract(e.data, '$.code'))
    and not exists (select 1 from gaps g where g.run_id = r.id and g.last_seq = r.last_seq)
    and not exists (select 1 from horizons h where h.run_id = r.id and h.kind = 'general' and h.seq >= r.last_seq)`

const SELECT_BLOCKS = `
  select first_seq, last_seq, from_at, to_at, events, data from blocks
  where run_id = :id and first_seq between :first and :last order by first_seq`

const SELECT_AT = `
  select first_seq as first, last_seq as last, kind, hash from batches where run_id = :id and first_seq <= :seq
  union all
  select first_seq, last_seq, 'gap', hash from gaps where run_id = :id and first_seq <= :seq
  order by first desc limit 1`

/** Verifies the next portion of a log's chains. Each run's ends at its first fault. */
export function verify(database: Database, asked: VerifyAsked): VerifyPortion {
  const chains = new Chains(database)
  const runs: RunVerification[] = []
  let at = asked.position === null ? chains.begin(0, asked.run) : chains.resume(asked.position)
  let rows = 0
  while (at !== null && rows < PORTION) {
    const links = chains.linksAfter(at)
    let fault: ChainFault | null = null
    for (const link of links) {
      fault = chains.check(link, at)
      if (fault !== null) break
      follow(at, link)
      rows += link.rowCount
      if (rows >= PORTION) break
    }
    if (fault === null && links.length > 0) continue
    runs.push(chains.result(at, fault ?? chains.faultAtEnd(at, asked.anchor)))
    at = chains.begin(at.id, asked.run)
  }
  const lacking = at === null ? incompleteness(database, asked.run === null ? {} : { run: asked.run }) : null
  return { position: at, rows, of: asked.position === null ? chains.count(asked.run) : null, lacking, runs }
}

function follow(at: VerifyPosition, link: Link): void {
  at.first = link.first
  if (link.hash === null) at.uncoveredRows += link.rowCount
  else at.before = link.hash.toString('hex')
  if (link.reason === 'crash') return
  at.next = link.last + 1
  at.lastSeq = link.last
  at.hash = at.before
  if (link.kind !== 'gap') {
    at.batches++
    at.rows += link.rowCount
  }
  if (link.kind === 'retired') at.retiredTo = link.last
}

/** A row that nothing covers; what that makes of it says whoever found it. */
type StrayRow = Omit<ChainFault, 'kind'>

type Raw = (string | number | null)[]

class Chains {
  readonly #database: Database
  readonly #links: Statement
  readonly #horizons: Statement
  readonly #carried: Statement
  readonly #samplings: Statement
  readonly #anyRow: Statement
  readonly #departure: Statement
  readonly #blocks: Statement
  /** Asked for again with each link of a run. */
  #lastStart: readonly [id: number, hash: Buffer] = [0, NO_ROWS]
  readonly #rows: Readonly<Record<keyof typeof HASHED_COLUMNS, Statement>>

  constructor(database: Database) {
    this.#database = database
    this.#links = database.prepare(SELECT_LINKS)
    this.#horizons = database.prepare(SELECT_HORIZONS)
    this.#carried = database.prepare(SELECT_CARRIED).raw()
    this.#samplings = database.prepare(SELECT_SAMPLINGS)
    this.#anyRow = database.prepare(SELECT_STRAY)
    this.#departure = database.prepare(SELECT_STRAY_DEPARTURE)
    this.#blocks = database.prepare(SELECT_BLOCKS).raw()
    const rows = (name: keyof typeof HASHED_COLUMNS) =>
      database
        .prepare(
          `select ${HASHED_COLUMNS[name].join(', ')} from ${name} where run_id = ? and seq between ? and ? order by seq`,
        )
        .raw()
    this.#rows = { evictions: rows('evictions'), key_events: rows('key_events'), events: rows('events') }
  }

  count(run: string | null): number {
    return this.#database.prepare(COUNT_ROWS).pluck().get({ run }) as number
  }

  begin(after: number, run: string | null): VerifyPosition | null {
    const found = this.#database.prepare(SELECT_NEXT_RUN).get({ after, run }) as { id: number; run: string } | undefined
    if (found === undefined) return null
    const nothing = { batches: 0, rows: 0, uncoveredRows: 0, retiredTo: null, lastSeq: 0, hash: null }
    return { ...found, before: null, first: 0, next: 1, ...nothing }
  }

  /** Retention may have been at work since: what was verified is gone then, and its last hash stands in its place. */
  resume(position: VerifyPosition): VerifyPosition {
    const { id, next } = position
    const retired = this.#database.prepare(SELECT_RETIRED).get({ id, next }) as Link | undefined
    if (retired === undefined) return position
    const { first, last, hash } = retired
    const before = hash?.toString('hex') ?? null
    return { ...position, first, next: last + 1, before, retiredTo: last, lastSeq: last, hash: before }
  }

  linksAfter({ id, first }: VerifyPosition): readonly Link[] {
    return this.#links.all({ id, first }) as Link[]
  }

  check(link: Link, at: VerifyPosition): ChainFault | null {
    const { first, last, kind, hash } = link
    if (first > at.next) {
      return fault(
        at.next,
        first - 1,
        'missing',
        'no batch and no gap covers it: it was deleted, or lost with its disk',
      )
    }
    if (first < at.next) return fault(first, last, 'reordered', 'it begins inside the one before it')
    if (hash === null) {
      if (at.before === null) return null
      return fault(first, last, 'changed', 'its hash is gone')
    }
    if (kind === 'gap') return this.#checkGap(link, at)
    if (kind === 'retired') {
      const wrong = this.#checkRetired(link, at)
      if (wrong !== null) return wrong
    }
    const stray = kind === 'retired' ? this.#strayDeparture(at.id, first, last) : null
    if (stray !== null) return { ...stray, kind: 'added', text: `${stray.text} stands where retention has taken all` }
    const wrongRows = this.#checkRows(link, at)
    if (wrongRows !== null || kind === 'retired') return wrongRows
    const { rowCount, departures, events, sums } = link
    const rows = { departures, events, sums }
    return this.#checkSampled(link, at, (sampled) => hashBatch(this.#before(at), first, last, rowCount, rows, sampled))
  }

  faultAtEnd(at: VerifyPosition, anchor: readonly AnchorPoint[]): ChainFault | null {
    const { id, next, run } = at
    const stray = this.#strayRow(id, next, Number.MAX_SAFE_INTEGER)
    if (stray !== null) return { ...stray, kind: 'added', text: `${stray.text} follows the last batch` }
    const lastSeq = this.#database.prepare('select last_seq from runs where id = ?').pluck().get(id) as number
    if (lastSeq >= next) {
      return fault(next, lastSeq, 'missing', 'the end of the run was cut off: its row says that more was written')
    }
    const forged = this.#checkHorizons(id)
    if (forged !== null) return forged
    const [beyond] = this.#samplingsIn(id, next, Number.MAX_SAFE_INTEGER)
    if (beyond !== undefined) {
      const { seq } = beyond
      return { ...fault(seq, seq, 'added', 'a row of samplings follows the last batch'), table: 'samplings', seq }
    }
    if (this.#database.prepare(SELECT_WRONG_END).get({ id }) !== undefined) {
      return fault(lastSeq, lastSeq, 'changed', "the run's own row tells of another end than its last event")
    }
    for (const point of anchor) {
      const wrong = point.run === run ? this.#checkAnchor(id, point) : null
      if (wrong !== null) return wrong
    }
    return null
  }

  result(at: VerifyPosition, wrong: ChainFault | null): RunVerification {
    const { run, batches, rows, uncoveredRows, retiredTo, lastSeq, hash } = at
    const state = hash !== null || batches === 0 ? 'intact' : 'not covered'
    const verified = { run, batches, rows, uncoveredRows, retiredTo, lastSeq, hash }
    return { ...verified, state: wrong === null ? state : 'broken', fault: wrong }
  }

  #before({ id, before }: VerifyPosition): Buffer {
    if (before !== null) return Buffer.from(before, 'hex')
    return this.#start(id)
  }

  #checkGap(link: Link, at: VerifyPosition): ChainFault | null {
    const { first, last, reason } = link
    // What nobody knows the end of has no range either.
    const stray = reason === 'crash' ? null : this.#strayRow(at.id, first, last)
    if (stray !== null) return { ...stray, kind: 'added', text: `${stray.text} stands in a gap` }
    return this.#checkSampled(link, at, (sampled) => hashGap(this.#before(at), link, sampled))
  }

  /** Whether a link has its hash, with what the log says of sampling in its range. */
  #checkSampled(
    { first, last, hash }: Link,
    at: VerifyPosition,
    hashed: (sampled: readonly SamplingLink[]) => Buffer,
  ): ChainFault | null {
    const sampled = this.#samplingsIn(at.id, first, last)
    if (hash === null || hashed(sampled).equals(hash)) return null
    const [one] = sampled
    if (one === undefined) return this.#wrongLink(first, last, at)
    const kind = hashed([]).equals(hash) ? 'added' : 'changed'
    const place = { first, last, table: 'samplings', seq: one.seq }
    return { ...place, kind, text: `what samplings say from here on was ${kind}, or the batch's own row changed` }
  }

  #samplingsIn(id: number, first: number, last: number): SamplingLink[] {
    return this.#samplings.all({ id, first, last }) as SamplingLink[]
  }

  /** A batch that is only called retired has no seal, or retention knows nothing of it. */
  #checkRetired(link: Link, { id }: VerifyPosition): ChainFault | null {
    const { first, last, departures } = link
    const seal = hashRetired(this.#start(id), link, this.#samplingsIn(id, first, last))
    const isKnown = this.#horizonsOf(id).some((one) => one.isSealed && one.kind === 'departures' && one.seq >= last)
    if (seal.equals(departures) && isKnown) return null
    return {
      ...fault(first, last, 'changed', 'it says that retention has taken its rows, and that is not so'),
      table: 'batches',
    }
  }

  /** What retention says of itself: how far it has got, and what it has carried on. */
  #checkHorizons(id: number): ChainFault | null {
    const horizons = this.#horizonsOf(id)
    const forged = horizons.find(({ isSealed }) => !isSealed)
    if (forged !== undefined) {
      const { kind, seq } = forged
      return {
        ...fault(1, seq, 'changed', `the horizon of ${kind} is not one that retention wrote`),
        table: 'horizons',
        seq,
      }
    }
    const run = this.#start(id)
    let all: Buffer = NO_ROWS
    for (const row of this.#carried.iterate(id) as Iterable<[...Raw, Buffer]>) {
      const hash = row.at(-1) as Buffer
      const columns = row.slice(0, -1) as Raw
      const seq = columns[CARRIED_COLUMNS.indexOf('seq')] as number
      if (!hashCarried(run, columns).equals(hash)) {
        return { ...fault(seq, seq, 'changed', 'this row of carried was changed'), table: 'carried', seq }
      }
      all = toggled(all, hash)
    }
    const { carried, seq } = horizons.find(({ kind }) => kind === 'departures') ?? { carried: NO_ROWS, seq: 0 }
    if (all.equals(carried)) return null
    return { ...fault(1, seq, 'changed', 'rows of carried were added, or are missing'), table: 'carried' }
  }

  #horizonsOf(id: number): (Horizon & { readonly isSealed: boolean })[] {
    const run = this.#start(id)
    const rows = this.#horizons.all(id) as (Horizon & { readonly hash: Buffer })[]
    return rows.map(({ hash, ...horizon }) => ({ ...horizon, isSealed: hashHorizon(run, horizon).equals(hash) }))
  }

  /** What the first link of a run follows. */
  #start(id: number): Buffer {
    const [of, known] = this.#lastStart
    if (of === id) return known
    const hash = hashRun(this.#database.prepare(SELECT_RUN).raw().get(id) as Raw)
    this.#lastStart = [id, hash]
    return hash
  }

  #checkRows(link: Link, { id }: VerifyPosition): ChainFault | null {
    const { first, last, kind } = link
    const read = (name: keyof typeof HASHED_COLUMNS) => this.#rows[name].all(id, first, last) as Raw[]
    const gone = this.#gone(id, first)
    // What retention takes departures from is `retired` at once: a horizon alone excuses nothing.
    const withDepartures = kind === 'rows'
    const rows = {
      evictions: withDepartures ? read('evictions') : [],
      keyEvents: withDepartures ? read('key_events') : [],
      blocks: withDepartures ? this.#blockRows(id, first, last) : [],
      events: read('events'),
    }
    const now = hashRows(rows)
    const wrongKind = EVENT_KINDS.find(
      (one) => !gone.has(one) && hashOfKind(now.events, one) !== hashOfKind(link.events, one),
    )
    const isWrong = withDepartures && !now.departures.equals(link.departures)
    if (!isWrong && wrongKind === undefined) return null
    const other = isWrong ? this.#batchOf(id, now.departures) : null
    if (other !== null) {
      return fault(first, last, 'reordered', `it has the rows that were written as batch ${other.first}–${other.last}`)
    }
    return { first, last, ...nameRow(rows, now.sums, link.sums) }
  }

  #blockRows(id: number, first: number, last: number): Raw[] {
    const rows = this.#blocks.all({ id, first, last }) as Parameters<typeof blockRow>[]
    return rows.map((row) => [...blockRow(...row)])
  }

  /** Kinds of rows that retention has taken from a link's range, or may have. */
  #gone(id: number, first: number): ReadonlySet<string> {
    const horizons = this.#horizonsOf(id).filter(({ isSealed, seq }) => isSealed && seq >= first)
    return new Set(horizons.map(({ kind }) => kind))
  }

  #batchOf(id: number, departures: Buffer): { first: number; last: number } | null {
    if (departures.length === 0) return null
    const found = this.#database
      .prepare(
        'select first_seq as first, last_seq as last from batches where run_id = ? and departures_hash = ? limit 1',
      )
      .get(id, departures)
    return (found as { first: number; last: number } | undefined) ?? null
  }

  #wrongLink(first: number, last: number, { before }: VerifyPosition): ChainFault {
    const what = before === null ? "the run's own row, or that of this batch, was changed" : 'its own row was changed'
    return fault(
      first,
      last,
      'changed',
      `${what}, or it does not stand where it was written: its rows are what they were`,
    )
  }

  #strayRow(id: number, first: number, last: number): StrayRow | null {
    return this.#stray(this.#anyRow, id, first, last)
  }

  #strayDeparture(id: number, first: number, last: number): StrayRow | null {
    return this.#stray(this.#departure, id, first, last)
  }

  #stray(rows: Statement, id: number, first: number, last: number): StrayRow | null {
    const row = rows.get({ id, first, last }) as { seq: number; name: string } | undefined
    if (row === undefined) return null
    const { seq, name } = row
    return { first: seq, last: seq, table: name, seq, text: `a row of ${name} that no batch covers` }
  }

  #checkAnchor(id: number, { seq, hash }: AnchorPoint): ChainFault | null {
    const link = this.#database.prepare(SELECT_AT).get({ id, seq }) as Link | undefined
    if (link === undefined || link.last < seq) {
      return fault((link?.last ?? 0) + 1, seq, 'missing', 'the end of the run was cut off: the anchor knows more of it')
    }
    // Inside of what retention has taken there is nothing to compare with.
    if (link.kind === 'retired' && link.last > seq) return null
    if (link.last === seq && link.hash?.toString('hex') === hash) return null
    return fault(link.first, link.last, 'changed', 'the anchor knows another hash: the chain was written anew')
  }
}

function fault(first: number, last: number, kind: ChainFault['kind'], text: string): ChainFault {
  return { first, last, kind, table: null, seq: null, text }
}
