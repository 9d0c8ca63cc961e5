import type {
  Comparison,
  CrashReport,
  Diagnosis,
  RegretAnswer,
  Timeline,
  TimelinePoint,
  TimeWindow,
} from '../query/analyses.ts'
import { evictionAnswer, runAnswer, sampleAnswer, warningAnswer } from './answers.ts'
import { instant, limit, timestamp } from './wire.ts'

/* What follows from the log, as JSON, over HTTP and on the command line alike; spelled as in `answers.ts`. */

export function crashAnswer(report: CrashReport) {
  const { samples, ...rest } = report
  const { run, from, to, gap, memory } = rest
  return {
    ...rest,
    run: run === null ? null : runAnswer(run),
    from: timestamp(from),
    to: timestamp(to),
    gap: gap === null ? null : { ...gap, at: instant(gap.at), until: timestamp(gap.until) },
    memory: memory === null ? null : { ...memory, at: instant(memory.at) },
    items: samples.map(sampleAnswer),
    next: null,
    levels: report.levels.map(warningAnswer),
    lastEvictions: report.lastEvictions.map(evictionAnswer),
    changes: report.changes.map((change) => ({ ...change, at: instant(change.at) })),
  }
}

export function regretAnswer(answer: RegretAnswer) {
  return {
    ...answer,
    items: [...answer.items],
    delays: answer.delays.map(({ atMost, count }) => ({ atMost: limit(atMost), count })),
  }
}

export function timelineAnswer({ every, items, next, incomplete }: Timeline) {
  return { every, items: items.map(pointAnswer), next, incomplete }
}

function pointAnswer(point: TimelinePoint) {
  return { ...point, from: instant(point.from), to: instant(point.to) }
}

export function comparisonAnswer({ before, after, items, next, incomplete }: Comparison) {
  return { before: windowAnswer(before), after: windowAnswer(after), items: [...items], next, incomplete }
}

function windowAnswer({ since, until }: TimeWindow) {
  return { since: instant(since), until: instant(until) }
}

export function diagnosisAnswer(diagnosis: Diagnosis) {
  return {
    ...diagnosis,
    items: [...diagnosis.items],
    since: timestamp(diagnosis.since),
    until: timestamp(diagnosis.until),
  }
}
