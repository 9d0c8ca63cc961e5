import type { MuninnEvent } from '../event/catalogue.ts'
import type { Batch, GapReason, RunEnd } from './batch.ts'
import { Encoder } from './encoder.ts'
import { Rollup } from './rollup.ts'
import { count, emptyTally, type Tally } from './tally.ts'

/** 512 rows are written at nine tenths of the speed of endless batches. */
const BATCH_EVENTS = 512
const BATCH_BYTES = 256 * 1024

interface Lost {
  first: number
  last: number
  fromAt: number
  toAt: number
  count: number
  tally: Tally
  rollup: Rollup
}

/** Collects a run's events and cuts them into batches whose ranges of `seq` are contiguous. */
export class Outbox {
  readonly #encoder: Encoder
  #events = 0
  #last = 0
  #at = 0
  #tally = emptyTally()
  #end: RunEnd | null = null
  #lost: Lost | null = null
  /** The last `seq` that a batch covers. */
  #covered = 0
  #number = 0

  /** @param prefixOf the user's own rule for prefixes. */
  constructor(prefixOf: ((key: string) => string | null) | null = null) {
    this.#encoder = new Encoder(prefixOf)
  }

  /** Bytes of what has not been cut yet. */
  get bytes(): number {
    return this.#encoder.bytes
  }

  get events(): number {
    return this.#events
  }

  /** Whether the last event was dropped, and nothing kept since. */
  get losing(): boolean {
    return this.#lost !== null
  }

  /** Takes an event; true if it makes a batch full. */
  add(event: MuninnEvent): boolean {
    this.#encoder.add(event)
    this.#events++
    this.#last = event.seq
    this.#at = event.at
    count(this.#tally, event)
    if (event.type === 'stopped') this.#end = { at: event.at, reason: event.reason, code: event.code }
    return this.#events >= BATCH_EVENTS || this.#encoder.bytes >= BATCH_BYTES
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
      rollup: new Rollup((_minute, _cache, prefix) => prefix),
    }
    this.#lost.last = event.seq
    this.#lost.toAt = event.at
    this.#lost.count++
    count(this.#lost.tally, event)
    this.#lost.rollup.addLost(event)
  }

  /** What was collected, as a batch. */
  cut(): Batch | null {
    if (this.#events === 0) return null
    const rows = this.#encoder.cut()
    const batch: Batch = {
      number: ++this.#number,
      first: this.#covered + 1,
      last: this.#last,
      at: this.#at,
      events: this.#events,
      rows,
      bytes: rows.bytes,
      tally: this.#tally,
      end: this.#end,
      gap: null,
      lostSums: null,
    }
    this.#covered = this.#last
    this.#events = 0
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
      rows: null,
      bytes: 0,
      tally: lost.tally,
      end: null,
      gap: { lost: lost.count, fromAt: lost.fromAt, reason },
      lostSums: lost.rollup.sums,
    }
  }
}
