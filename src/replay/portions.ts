import { OptionError } from '../base/errors.ts'
import { readTrace } from './trace.ts'
import type { TraceRequest } from './trace-parser.ts'

/** A request as a program gives it. */
export interface GivenRequest {
  readonly key: string
  /** Default 1. */
  readonly size?: number
  /** ms; default none. */
  readonly ttl?: number
}

/** A trace: the name of its file, or its requests. */
export type Trace = string | Iterable<GivenRequest> | AsyncIterable<GivenRequest>

/**
 * Requests between two turns of the event loop. Always as many, whatever the pieces a file arrives in: what is done
 * between turns (the idle slices of eviction cycles) must not depend on them.
 */
const PORTION = 16_384

export async function* portionsOf(trace: Trace): AsyncGenerator<readonly TraceRequest[], void, undefined> {
  let portion: TraceRequest[] = []
  for await (const batch of typeof trace === 'string' ? readTrace(trace) : givenBatches(trace)) {
    for (const request of batch) {
      portion.push(request)
      if (portion.length === PORTION) {
        yield portion
        portion = []
      }
    }
  }
  if (portion.length > 0) yield portion
}

async function* givenBatches(trace: Exclude<Trace, string>): AsyncGenerator<readonly TraceRequest[], void, undefined> {
  if (Symbol.asyncIterator in trace) {
    for await (const request of trace) yield [complete(request)]
    return
  }
  let batch: TraceRequest[] = []
  for (const request of trace) {
    batch.push(complete(request))
    if (batch.length === PORTION) {
      yield batch
      batch = []
    }
  }
  yield batch
}

function complete({ key, size = 1, ttl = Number.POSITIVE_INFINITY }: GivenRequest): TraceRequest {
  if (!Number.isSafeInteger(size) || size < 0)
    throw new OptionError('trace', `a request of key ${JSON.stringify(key)} has no size that is an integer ≥ 0`)
  return { key, size, ttl }
}
