import type { TopRecord } from '../../../src/query/analyses.ts'
import type { diagnosisAnswer, regretAnswer, timelineAnswer } from '../../../src/serve/analysis-answers.ts'
import type {
  changeAnswer,
  cycleAnswer,
  evictionAnswer,
  explanationAnswer,
  runAnswer,
  sampleAnswer,
  warningAnswer,
} from '../../../src/serve/answers.ts'
import type { CacheAnswer, MemoryAnswer } from '../../../src/serve/http/memory-answer.ts'
import type { CurveAnswer } from '../../../src/serve/http/routes/curve.ts'

/* What the routes answer, in the service's own types: a field that is renamed there doesn't compile here. */

export type Memory = MemoryAnswer
export type CacheRow = CacheAnswer
export type Eviction = ReturnType<typeof evictionAnswer>
export type Explanation = ReturnType<typeof explanationAnswer>
export type Run = ReturnType<typeof runAnswer>
export type Cycle = ReturnType<typeof cycleAnswer>
export type Warning = ReturnType<typeof warningAnswer>
export type Change = ReturnType<typeof changeAnswer>
export type Top = TopRecord
export type Regrets = ReturnType<typeof regretAnswer>
export type Timeline = ReturnType<typeof timelineAnswer>
export type TimelinePoint = Timeline['items'][number]
export type Diagnosis = ReturnType<typeof diagnosisAnswer>
export type Finding = Diagnosis['items'][number]
export type Curves = CurveAnswer
export type CacheCurve = CurveAnswer['items'][number]
export type Sample = ReturnType<typeof sampleAnswer>

/** One page of a list. */
export interface Page<T> {
  readonly items: readonly T[]
  readonly next: string | null
  readonly incomplete: string | null
}

/** A live entry, as listings have it. */
export interface Item {
  readonly key: string
  readonly size: number
  readonly stored_at: string
  readonly expires_at: string | null
  readonly hits: number
  readonly last_access: string | null
  readonly cost: number
  readonly tags: readonly string[]
  readonly score: number | null
}

/** A page of them; not exact where the policy decides only when it comes to it who goes. */
export interface ItemPage {
  readonly items: readonly Item[]
  readonly next: string | null
  readonly isExact: boolean
}
