import type { CrashQuestion, DoctorQuestion, RegretQuestion, TimelineQuestion, TopQuestion } from './analyses.ts'
import type { AskedComparison } from './analysis-question.ts'
import type { ChangeQuestion, ExportQuestion, Question } from './answers.ts'
import type { PortionQuestion } from './export.ts'
import type { Asked, AskedState } from './question.ts'
import type { StoredEvictionQuestion, StoredLifeQuestion } from './stored.ts'
import type { VerifyAsked } from './verify.ts'

/* What the asker's thread and the reader's say to each other. */

export type Ask =
  | { readonly name: 'evictions'; readonly question: StoredEvictionQuestion }
  | { readonly name: 'changes'; readonly question: Asked<ChangeQuestion> }
  | { readonly name: 'state'; readonly question: AskedState }
  | { readonly name: 'export-plan'; readonly question: Asked<ExportQuestion> }
  | { readonly name: 'export'; readonly question: PortionQuestion }
  | { readonly name: 'explain'; readonly question: StoredLifeQuestion }
  | { readonly name: 'crash'; readonly question: Asked<CrashQuestion> }
  | { readonly name: 'regrets'; readonly question: Asked<RegretQuestion> }
  | { readonly name: 'timeline'; readonly question: Asked<TimelineQuestion> }
  | { readonly name: 'top'; readonly question: Asked<TopQuestion> }
  | { readonly name: 'compare'; readonly question: AskedComparison }
  | { readonly name: 'doctor'; readonly question: Asked<DoctorQuestion> }
  | {
      readonly name: 'runs' | 'cycles' | 'warnings' | 'peaks' | 'samples'
      readonly question: Asked<Question>
    }
  | { readonly name: 'verify'; readonly question: VerifyAsked }

export type Answered = { readonly answer: unknown } | { readonly problem: string }

export type ToReader = { readonly id: number; readonly ask: Ask } | { readonly end: true }

export interface FromReader {
  readonly id: number
  readonly answered: Answered
}

export interface ReaderData {
  readonly path: string
}
