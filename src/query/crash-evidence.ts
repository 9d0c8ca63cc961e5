import { hostname, uptime } from 'node:os'
import type { Stopped } from '../event/catalogue.ts'
import type { CrashMemory, CrashReport } from './analyses.ts'
import type { RunRecord } from './answers.ts'
import { bytesInWords, durationInWords, percentInWords, timeInWords } from './words.ts'

/* What a run ended by, from what it left behind. */

/** Shares of a limit from which memory is what one suspects: at the last check, and as it would have been at the end. */
const NEAR = 0.9
const WOULD_BE_NEAR = 0.97
/** V8 gives up before its limit is reached to the byte. */
const HEAP_NEAR = 0.85

const SIGNALS: Readonly<Record<number, string>> = {
  1: 'SIGHUP',
  2: 'SIGINT',
  3: 'SIGQUIT',
  6: 'SIGABRT',
  9: 'SIGKILL',
  15: 'SIGTERM',
}

export type Evidence = Pick<CrashReport, 'verdict' | 'certainty' | 'summary'>

/** Of a run that goes on. */
export function evidenceOfLife({ run, pid, host }: RunRecord): Evidence {
  const summary = [`Run ${run} is running (pid ${pid} on ${host}): it did not crash.`]
  return { verdict: 'no crash', certainty: 'known', summary }
}

/** Of a run that said that it ends. @param stopped its last event; `null`: there was no time to write it. */
export function evidenceOfExit(run: RunRecord, stopped: Stopped | null): Evidence {
  const at = timeInWords(run.stoppedAt ?? run.lastAt)
  const code = run.exitCode
  if (code === null || code === 0) {
    const how = code === null ? 'was closed' : 'exited with code 0'
    return { verdict: 'no crash', certainty: 'known', summary: [`Run ${run.run} ${how} at ${at}: it did not crash.`] }
  }
  const words = `exited with code ${code} at ${at}; its last events were written`
  if (stopped === null) {
    return {
      verdict: 'exit code',
      certainty: 'unknown',
      summary: [
        `It exited with code ${code} at ${at}; its last events were not written, and with them whether an exception that nobody caught ended it.`,
      ],
    }
  }
  if (typeof stopped.error === 'string') {
    return {
      verdict: 'exception',
      certainty: 'known',
      summary: [`An exception that nobody caught ended it: ${stopped.error}. It ${words}.`],
    }
  }
  const signal = SIGNALS[code - 128]
  if (signal !== undefined) {
    return {
      verdict: 'signal',
      certainty: 'likely',
      summary: [`It ${words}. ${code} is 128 + ${code - 128}: as a rule a handler of ${signal} exits so.`],
    }
  }
  return {
    verdict: 'exit code',
    certainty: 'known',
    summary: [`It ${words}. No exception was seen: somebody called process.exit(${code}), or set process.exitCode.`],
  }
}

/** Of a run without a last word. */
export function evidenceOfSilence(run: RunRecord, memory: CrashMemory | null, checkInterval: number): Evidence {
  const silent = `It ended without a word after seq ${run.lastSeq} at ${timeInWords(run.lastAt)}: no exit hook ran, so it was killed (SIGKILL, the kernel's out-of-memory killer, or SIGTERM and the like without a handler), aborted (V8 out of heap, a native fault), or the machine went down.`
  const booted = Date.now() - uptime() * 1000
  if (run.host === hostname() && booted > run.lastAt) {
    return {
      verdict: 'host restarted',
      certainty: 'likely',
      summary: [silent, `This host was started at ${timeInWords(booted)}, after that: a restart or a loss of power.`],
    }
  }
  if (memory === null) {
    const why = 'No check of its memory is in the log: whether memory was the reason is not known.'
    return { verdict: 'killed', certainty: 'unknown', summary: [silent, why] }
  }
  const { at, rss, heapUsed, mayUse, mayUseSource, heapLimit, rssGrowth, heapGrowth } = memory
  // What the log has no more: from the check to the last row, and from there at most to the next check.
  const unseen = Math.max(0, run.lastAt - at) + checkInterval
  const heap = heapLimit === null ? null : suspicion(heapUsed, heapGrowth, heapLimit, unseen, HEAP_NEAR)
  if (heap !== null) {
    return {
      verdict: 'heap out of memory',
      certainty: 'likely',
      summary: [silent, `${inWords('the V8 heap', heapUsed, heapLimit as number, 'its limit')}${heap}`],
    }
  }
  const all = suspicion(rss, rssGrowth, mayUse, unseen, NEAR)
  const used = inWords('the process', rss, mayUse, `what it may use (${mayUseSource})`)
  if (all !== null) return { verdict: 'out of memory', certainty: 'likely', summary: [silent, used + all] }
  const heapUse = heapLimit === null ? '' : `, the V8 heap ${percentInWords(heapUsed / heapLimit)} of its limit`
  return {
    verdict: 'killed',
    certainty: 'unknown',
    summary: [
      silent,
      `Nothing points to its memory: at the last check, ${durationInWords(Math.max(0, run.lastAt - at))} before its last event, the process used ${percentInWords(rss / mayUse)} of what it may use (${mayUseSource})${heapUse}. What came after that check, or other processes on the machine, the log can not tell.`,
    ],
  }
}

/** The rest of the sentence, where memory is near its limit or would have been; `null` where it is not. */
function suspicion(used: number, growth: number | null, limit: number, unseen: number, near: number): string | null {
  const grew = growth !== null && growth > 0 ? growth : 0
  const rate = grew === 0 ? '' : `, and it grew by ${bytesInWords(Math.round(grew))} a minute`
  if (used / limit >= near) return `${rate}.`
  if ((used + (grew * unseen) / 60_000) / limit < WOULD_BE_NEAR) return null
  return `${rate}: at that rate it would have reached the limit before the next check.`
}

function inWords(what: string, used: number, limit: number, name: string): string {
  return `At the last check ${what} held ${bytesInWords(used)}, ${percentInWords(used / limit)} of ${name}, ${bytesInWords(limit)}`
}
