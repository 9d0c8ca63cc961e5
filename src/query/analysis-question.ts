import { OptionError } from '../base/errors.ts'
import { shown } from '../base/units.ts'
import {
  type CompareQuestion,
  type CrashQuestion,
  type DoctorQuestion,
  REGRET_ORDERS,
  type RegretQuestion,
  type TimelineQuestion,
  type TimeWindow,
  type TopQuestion,
} from './analyses.ts'
import { type Asked, checked, checkOrder, orderedName, PAGED } from './question.ts'

/* The questions of `analyses.ts` as they are asked of the reader's thread. */

const MINUTE = 60_000
const COUNTING = ['run', 'cache', 'since', 'until', 'signal'] as const

export function checkedCrashQuestion(question: CrashQuestion): Asked<CrashQuestion> {
  const asked = checked(question, 'crash', ['run', 'window', 'signal'])
  positive(asked.window, 'window', 1)
  return asked
}

export function checkedRegretQuestion(question: RegretQuestion): Asked<RegretQuestion> {
  const name = orderedName('regrets', question)
  const asked = checked(question, name, [...PAGED, 'cache', 'prefix', 'order', 'reverse'])
  checkOrder(asked, REGRET_ORDERS)
  return asked
}

export function checkedTimelineQuestion(question: TimelineQuestion): Asked<TimelineQuestion> {
  const asked = checked(question, 'timeline', [...COUNTING, 'every'])
  positive(asked.every, 'every', MINUTE)
  return asked
}

export function checkedTopQuestion(question: TopQuestion): Asked<TopQuestion> {
  const asked = checked(question, 'top', [...PAGED, 'cache', 'of', 'by'])
  oneOf(asked.of, 'of', ['key', 'prefix'])
  oneOf(asked.by, 'by', ['evictions', 'bytes', 'regrets'])
  return asked
}

/** A comparison as it is asked of the reader's thread. */
export interface AskedComparison extends Asked<CompareQuestion> {
  readonly before: TimeWindow
  readonly after: TimeWindow
}

export function checkedComparison(before: TimeWindow, after: TimeWindow, question: CompareQuestion): AskedComparison {
  const asked = checked(question, 'compare', ['run', 'cache', 'signal'])
  return { ...asked, before: checkedWindow(before, 'before'), after: checkedWindow(after, 'after') }
}

export function checkedDoctorQuestion(question: DoctorQuestion): Asked<DoctorQuestion> {
  return checked(question, 'doctor', COUNTING)
}

function checkedWindow(window: unknown, name: string): TimeWindow {
  if (typeof window === 'object' && window !== null && 'since' in window && 'until' in window) {
    const { since, until } = window
    if (typeof since === 'number' && typeof until === 'number' && since < until) return { since, until }
  }
  throw new OptionError(name, `${shown(window)} is not a window: give { since, until }, the former before the latter`)
}

function positive(value: unknown, field: string, least: number): void {
  if (value === undefined || (typeof value === 'number' && value >= least && Number.isFinite(value))) return
  throw new OptionError(field, `${shown(value)} is not a time: give ${least} ms or more`)
}

function oneOf(value: unknown, field: string, words: readonly string[]): void {
  if (value === undefined || words.includes(value as string)) return
  throw new OptionError(field, `${shown(value)} is none of ${words.join(', ')}`)
}
