import type { ExportedEvent } from './answers.ts'
import type { ExportFormat, ExportPlan, Portion, PortionQuestion } from './export.ts'
import type { Ask } from './reader-wire.ts'

/** The events of a log, one after another; held back until they are asked for. */
export class Exporting<T> implements AsyncIterable<T> {
  readonly #portions: () => AsyncGenerator<readonly T[]>
  /** Why events may be missing, in words, from the first one on; `null`: none are known to be. */
  incomplete: string | null = null

  /**
   * @param plan asked for when the first is.
   * @param ask puts a question to the reader's thread.
   */
  constructor(
    plan: () => Promise<ExportPlan>,
    ask: (ask: Ask) => Promise<unknown>,
    question: Pick<PortionQuestion, 'until' | 'types'>,
    format: ExportFormat | undefined,
    take: (portion: Portion) => readonly T[],
  ) {
    this.#portions = async function* (this: Exporting<T>) {
      const { spans, incomplete } = await plan()
      this.incomplete = incomplete
      const of = (left: Portion['spans'], isFirst: boolean) =>
        ask({
          name: 'export',
          question: { ...question, spans: left, isFirst, ...(format === undefined ? {} : { format }) },
        }) as Promise<Portion>
      let portion = await of(spans, true)
      while (portion.spans.length > 0) {
        // The reader works on the next while this one is dealt with.
        const next = of(portion.spans, false)
        next.catch(() => {})
        yield take(portion)
        portion = await next
      }
      yield take(portion)
    }.bind(this)
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    for await (const portion of this.#portions()) yield* portion
  }
}

export function eventsIn(portion: Portion): readonly ExportedEvent[] {
  return portion.events
}

export function textIn({ text }: Portion): readonly string[] {
  return text === '' ? [] : [text]
}
