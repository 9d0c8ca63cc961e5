import { OptionError } from '../base/errors.ts'
import { checkNames } from '../base/option-names.ts'
import { POLICIES } from '../base/settings.ts'
import { shown } from '../base/units.ts'
import { EVENT_TYPES } from '../event/catalogue.ts'
import { EVICTION_CAUSES } from '../event/vocabulary.ts'
import {
  type AnchorPoint,
  type ChangeQuestion,
  EVICTION_ORDERS,
  type EvictionQuestion,
  type ExplainQuestion,
  type ExportQuestion,
  type Question,
  type StateQuestion,
  type VerifyQuestion,
} from './answers.ts'
import { readCursor } from './cursor.ts'

/** A question without what can't travel to another thread. */
export type Asked<Q> = Omit<Q, 'signal'>

const MOST_ROWS = 10_000
/** What lists take. */
export const PAGED = ['run', 'since', 'until', 'limit', 'cursor', 'signal'] as const
const OF_EVICTIONS = [...PAGED, 'cache', 'key', 'prefix', 'cause', 'policy', 'cycle', 'order', 'reverse'] as const
const OF_CHANGES = [...PAGED, 'actor', 'cache'] as const
const OF_EXPORT = ['run', 'since', 'until', 'types', 'after', 'signal'] as const
const EXPORTED_TYPES: readonly unknown[] = [...EVENT_TYPES, 'gap']
const OF_EXPLAIN = ['cache', 'run', 'signal'] as const

/**
 * Questions as they are asked of the reader's thread.
 *
 * @throws {OptionError} naming the field that is wrong.
 */
export function checkedQuestion(question: Question, name: string): Asked<Question> {
  return checked(question, name, PAGED)
}

export function checkedEvictionQuestion(question: EvictionQuestion): Asked<EvictionQuestion> {
  const asked = checked(question, orderedName('evictions', question), OF_EVICTIONS)
  checkOrder(asked, EVICTION_ORDERS)
  if (asked.cause !== undefined && !EVICTION_CAUSES.includes(asked.cause)) {
    throw new OptionError('cause', `${shown(asked.cause)} is none of ${EVICTION_CAUSES.join(', ')}`)
  }
  if (asked.policy !== undefined && !POLICIES.includes(asked.policy)) {
    throw new OptionError('policy', `${shown(asked.policy)} is none of ${POLICIES.join(', ')}`)
  }
  return asked
}

/** A question's name, for its cursors: of one order they hold in no other. */
export function orderedName(name: string, { order, reverse }: { order?: string; reverse?: boolean }): string {
  return `${name}${order === undefined ? '' : ` by ${order}`}${reverse === true ? ' reversed' : ''}`
}

export function checkOrder(asked: { order?: unknown; reverse?: unknown }, orders: readonly string[]): void {
  if (asked.order !== undefined && !orders.includes(asked.order as string))
    throw new OptionError('order', `${shown(asked.order)} is none of ${orders.join(', ')}`)
  if (asked.reverse !== undefined && typeof asked.reverse !== 'boolean')
    throw new OptionError('reverse', `${shown(asked.reverse)} is neither true nor false`)
}

export function checkedChangeQuestion(question: ChangeQuestion): Asked<ChangeQuestion> {
  return checked(question, 'changes', OF_CHANGES)
}

/** `<run>:<seq>`. */
const EVENT_ID = /^[^:]+:\d{1,15}$/

export function checkedExportQuestion(question: ExportQuestion): Asked<ExportQuestion> {
  const asked = checked(question, 'export', OF_EXPORT)
  const after: unknown = asked.after
  if (after !== undefined && (typeof after !== 'string' || !EVENT_ID.test(after)))
    throw new OptionError('after', `${shown(after)} is not an event's id: give <run>:<seq>`)
  const types: unknown = asked.types
  if (types === undefined) return asked
  if (!Array.isArray(types) || types.length === 0) throw new OptionError('types', 'is not a list of types of event')
  for (const type of types) {
    if (!EXPORTED_TYPES.includes(type))
      throw new OptionError('types', `${shown(type)} is none of ${EXPORTED_TYPES.join(', ')}`)
  }
  return asked
}

export type AskedState = Asked<StateQuestion>

export function checkedStateQuestion(question: StateQuestion): AskedState {
  const asked = checked(question, 'state', ['at', 'seq', 'run', 'cache', 'limit', 'cursor', 'signal'])
  const { at, seq } = asked as { at?: unknown; seq?: unknown }
  if ((at === undefined) === (seq === undefined)) throw new OptionError('at', 'give either a time (at) or a seq')
  if (at !== undefined && (typeof at !== 'number' || !Number.isFinite(at)))
    throw new OptionError('at', `${shown(at)} is not a time: give milliseconds since the epoch`)
  if (seq !== undefined && !(Number.isSafeInteger(seq) && Number(seq) >= 1))
    throw new OptionError('seq', `${shown(seq)} is not a seq: give an integer of 1 or more`)
  return asked
}

export function checkedFormat(format: unknown): 'jsonl' | 'csv' {
  if (format !== 'jsonl' && format !== 'csv') throw new OptionError('format', `${shown(format)} is none of jsonl, csv`)
  return format
}

export function checkedExplainQuestion(
  key: unknown,
  question: ExplainQuestion,
): Asked<ExplainQuestion> & { key: string } {
  if (typeof key !== 'string') throw new OptionError('key', `${shown(key)} is not a string`)
  return { ...checked(question, 'explain', OF_EXPLAIN), key: key.toWellFormed() }
}

const OF_VERIFY = ['run', 'anchor', 'onProgress', 'signal']

/** The run and the points that a verification compares with. */
export function checkedVerifyQuestion(question: VerifyQuestion): {
  run: string | null
  anchor: readonly AnchorPoint[]
} {
  const { anchor, onProgress: _, signal: __, ...rest } = question
  checkNames(question, OF_VERIFY, '', 'is not asked by verify')
  const { run } = checked(rest, 'verify', ['run'])
  if (anchor !== undefined && !isAnchor(anchor)) {
    throw new OptionError('anchor', 'is no anchor: give what an earlier verification answered as its anchor')
  }
  return { run: run ?? null, anchor: anchor?.points.filter((point) => run === undefined || point.run === run) ?? [] }
}

function isAnchor(anchor: unknown): boolean {
  if (typeof anchor !== 'object' || anchor === null || !('points' in anchor) || !Array.isArray(anchor.points))
    return false
  return anchor.points.every(
    (point: unknown) =>
      typeof point === 'object' &&
      point !== null &&
      'run' in point &&
      typeof point.run === 'string' &&
      'seq' in point &&
      Number.isSafeInteger(point.seq) &&
      'hash' in point &&
      typeof point.hash === 'string',
  )
}

/** What all questions have in common. */
export function checked<
  Q extends Partial<Omit<EvictionQuestion, 'order'> & ChangeQuestion & ExportQuestion & StateQuestion>,
>(question: Q, name: string, fields: readonly string[]): Asked<Q> {
  if (typeof question !== 'object' || question === null) {
    throw new OptionError('question', `${shown(question)} is not an object with ${fields.join(', ')}`)
  }
  checkNames(question, fields, '', `is not asked by ${name}`)
  const { signal: _, ...asked } = question
  // As the log has it: half a character has no place in a database.
  for (const field of ['cache', 'key', 'prefix'] as const) {
    if (typeof asked[field] === 'string') asked[field] = asked[field].toWellFormed()
  }
  for (const field of ['run', 'cache', 'key', 'prefix', 'cycle', 'actor', 'cursor'] as const) {
    const value: unknown = question[field]
    if (value !== undefined && typeof value !== 'string')
      throw new OptionError(field, `${shown(value)} is not a string`)
  }
  for (const field of ['since', 'until'] as const) {
    const value: unknown = question[field]
    if (value !== undefined && (typeof value !== 'number' || Number.isNaN(value))) {
      throw new OptionError(field, `${shown(value)} is not a time: give milliseconds since the epoch`)
    }
  }
  const limit: unknown = question.limit
  if (limit !== undefined && !(Number.isInteger(limit) && Number(limit) >= 1 && Number(limit) <= MOST_ROWS)) {
    throw new OptionError('limit', `${shown(limit)} is not a number of rows: give an integer from 1 to ${MOST_ROWS}`)
  }
  if (question.cursor !== undefined) readCursor(question.cursor, name)
  return asked
}
