import type { AnchorPoint, RunVerification, Verification, VerifyQuestion } from './answers.ts'
import { joined } from './incomplete.ts'
import type { VerifyAsked, VerifyPortion, VerifyPosition } from './verify.ts'
import { countInWords } from './words.ts'

/** Verifies a log portion by portion: other questions are answered in between, and the asker may go. */
export async function verification(
  asked: { readonly run: string | null; readonly anchor: readonly AnchorPoint[] },
  { onProgress }: VerifyQuestion,
  ask: (part: VerifyAsked) => Promise<unknown>,
): Promise<Verification> {
  const runs: RunVerification[] = []
  let rows = 0
  let all = 0
  let position: VerifyPosition | null = null
  let lacking: string | null = null
  do {
    const portion = (await ask({ ...asked, position })) as VerifyPortion
    runs.push(...portion.runs)
    rows += portion.rows
    position = portion.position
    all = portion.of ?? all
    lacking = portion.lacking
    onProgress?.(rows, Math.max(rows, all))
  } while (position !== null)
  const known = new Set(runs.map(({ run }) => run))
  for (const point of asked.anchor) if (!known.has(point.run)) runs.push(gone(point))
  const points = runs.flatMap(({ run, lastSeq: seq, hash }) => (hash === null ? [] : [{ run, seq, hash }]))
  const uncovered = runs.reduce((sum, run) => sum + run.uncoveredRows, 0)
  return {
    // Of a run that isn't there, nothing is as it was.
    intact: runs.every(({ state }) => state !== 'broken') && (asked.run === null || runs.length > 0),
    rows,
    runs,
    anchor: { madeAt: Date.now(), points },
    incomplete: joined(
      uncovered === 0 ? null : `${countInWords(uncovered, 'row')} of a version without a chain can't be verified`,
      lacking,
    ),
  }
}

function gone({ run, seq }: AnchorPoint): RunVerification {
  const text = 'the anchor knows this run, and the log does not: it was deleted, or is older than retention keeps runs'
  const fault = { first: 1, last: seq, kind: 'missing', table: null, seq: null, text } as const
  const nothing = { batches: 0, rows: 0, uncoveredRows: 0, retiredTo: null, lastSeq: 0, hash: null }
  return { run, state: 'broken', ...nothing, fault }
}
