import { parentPort, workerData } from 'node:worker_threads'
import { openToAsk, readProblem } from '../persist/reader.ts'
import { changes } from './changes.ts'
import { compare } from './compare.ts'
import { crash } from './crash.ts'
import { cycles } from './cycles.ts'
import { doctor } from './doctor.ts'
import { evictions } from './evictions.ts'
import { explain } from './explain.ts'
import { exportPlan, exportPortion } from './export.ts'
import { peaks } from './peaks.ts'
import type { Answered, Ask, FromReader, ReaderData, ToReader } from './reader-wire.ts'
import { regrets } from './regrets.ts'
import { runs } from './runs.ts'
import { samples } from './samples.ts'
import { state } from './state.ts'
import { timeline } from './timeline.ts'
import { top } from './top.ts'
import { verify } from './verify.ts'
import { warnings } from './warnings.ts'

/*
 * The reader's thread: one question at a time, each with a connection of its own, which costs a millisecond and never
 * holds on to a file that has been moved away.
 */

const BUSY_TIMEOUT = 2_000

const ANSWERS = {
  evictions,
  explain,
  crash,
  regrets,
  timeline,
  top,
  compare,
  doctor,
  runs,
  cycles,
  changes,
  warnings,
  peaks,
  samples,
  verify,
  state,
  'export-plan': exportPlan,
  export: exportPortion,
}

const { path } = workerData as ReaderData

parentPort?.on('message', (message: ToReader) => {
  if ('end' in message) parentPort?.close()
  else parentPort?.postMessage({ id: message.id, answered: answered(message.ask) } satisfies FromReader)
})

function answered({ name, question }: Ask): Answered {
  try {
    const database = openToAsk(path, BUSY_TIMEOUT)
    try {
      // One transaction, so that all parts of an answer see the same moment.
      const ask = ANSWERS[name] as (on: typeof database, question: Ask['question']) => unknown
      return { answer: database.transaction(() => ask(database, question))() }
    } finally {
      database.close()
    }
  } catch (error) {
    return { problem: readProblem(error, path) }
  }
}
