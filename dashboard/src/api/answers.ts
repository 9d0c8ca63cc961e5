import type {
  cycleAnswer,
  evictionAnswer,
  explanationAnswer,
  peakAnswer,
  runAnswer,
  sampleAnswer,
  warningAnswer,
} from '../../../src/serve/answers.ts'
import type { CacheAnswer, MemoryAnswer } from '../../../src/serve/http/memory-answer.ts'

/* What the routes answer, in the service's own types: a field that is renamed there doesn't compile here. */

export type Memory = MemoryAnswer
export type CacheRow = CacheAnswer
export type Eviction = ReturnType<typeof evictionAnswer>
export type Explanation = ReturnType<typeof explanationAnswer>
export type Run = ReturnType<typeof runAnswer>
export type Cycle = ReturnType<typeof cycleAnswer>
export type Warning = ReturnType<typeof warningAnswer>
export type Peak = ReturnType<typeof peakAnswer>
export type Sample = ReturnType<typeof sampleAnswer>

/** One page of a list. */
export interface Page<T> {
  readonly items: readonly T[]
  readonly next: string | null
  readonly incomplete: string | null
}
