import type { MuninnEvent } from '../event/catalogue.ts'
import type { Batch, GapReason, RunEnd } from './batch.ts'
import { encodeRows } from './rows.ts'
import { count, emptyTally, type Tally } from './tally.ts'

/** 512 rows are written at nine tenths of the speed of endless batches, and encoded in half a millisecond. */
const BATCH_EVENTS = 512
const BATCH_BYTES = 256 * 1024
/** What an event holds while it waits, keys and lists aside: some twenty fields, half of them boxed numbers. */
const EVENT_BYTES = 320
const TWO_BYTE_TEXT = /[^\u0000-\u00ff]/

interface Lost {
  first: number
  last: number
  fromAt: number
  toAt: number
  count: number
  tally: Tally
}

/** Collects a run's events and cuts them into batches whose ranges of `seq` are contiguous. */
export class Outbox {
  #open: MuninnEvent[] = []
  #openBytes = 0
  #tally = emptyTally()
  #end: RunEnd | null = null
  #lost: Lost | null = null
  /** The last `seq` that a batch covers. */
  #covered = 0
  #number = 0

  /** Estimated bytes of what has not been cut yet. */
  get bytes(): number {
    return this.#openBytes
  }

  get events(): number {
    return this.#open.length
  }

  /** Whether the last event was dropped, and nothing kept since. */
  get losing(): boolean {
    return this.#lost !== null
  }

  /** Takes an event; true if it makes a batch full. */
  add(event: MuninnEvent): boolean {
    this.#open.push(event)
    this.#openBytes += estimate(event)
    count(this.#tally, event)
    if (event.type === 'stopped') this.#end = { at: event.at, reason: event.reason, code: event.code }
    return this.#open.length >= BATCH_EVENTS || this.#openBytes >= BATCH_BYTES
  }

  /** Drops an event: it becomes part of a gap. Whatever is open must have been cut. */
  drop(event: MuninnEvent): void {
    this.#lost ??= {
      first: this.#covered + 1,
      last: event.seq,
      fromAt: event.at,
      toAt: event.at,
      count: 0,
      tally: emptyTally(),
    }
    this.#lost.last = event.seq
    this.#lost.toAt = event.at
    this.#lost.count++
    count(this.#lost.tally, event)
  }

  /** What was collected, as a batch. */
  cut(): Batch | null {
    const last = this.#open.at(-1)
    if (last === undefined) return null
    const text = encodeRows(this.#open)
    const batch: Batch = {
      number: ++this.#number,
      first: this.#covered + 1,
      last: last.seq,
      at: last.at,
      events: this.#open.length,
      text,
      bytes: TWO_BYTE_TEXT.test(text) ? text.length * 2 : text.length,
      tally: this.#tally,
      end: this.#end,
      gap: null,
    }
    this.#covered = last.seq
    this.#open = []
    this.#openBytes = 0
    this.#tally = emptyTally()
    return batch
  }

  /** The gap that dropped events left, as a batch. */
  cutGap(reason: GapReason): Batch | null {
    const lost = this.#lost
    if (lost === null) return null
    this.#lost = null
    this.#covered = lost.last
    return {
      number: ++this.#number,
      first: lost.first,
      last: lost.last,
      at: lost.toAt,
      events: 0,
      text: '',
      bytes: 0,
      tally: lost.tally,
      end: null,
      gap: { lost: lost.count, fromAt: lost.fromAt, reason },
    }
  }
}

function estimate(event: MuninnEvent): number {
  if (!('key' in event)) return EVENT_BYTES + ('caches' in event ? event.caches.length * EVENT_BYTES : 0)
  // A key may be two-byte text; 64 KiB of it are what makes the bound matter.
  let characters = event.key.length
  if (event.type === 'evicted') characters += (event.trigger?.key.length ?? 0) + (event.runnerUp?.length ?? 0)
  return EVENT_BYTES + 2 * characters
}
