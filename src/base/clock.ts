/** Where time comes from; injected, so that every test of time runs in virtual time. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
}

/** The machine's monotonic clock, anchored to the wall clock when made: a jump of the wall clock doesn't move it. */
class SystemClock implements Clock {
  private readonly anchor = Date.now() - performance.now()

  now(): number {
    return this.anchor + performance.now()
  }

  /** ms that the wall clock is ahead of this one: 0 until somebody sets it. */
  wallOffset(): number {
    return Date.now() - this.now()
  }
}

/** Reads that one reading of the system clock may serve: at 100 ns each, some 6 µs. */
const READS_PER_REFRESH = 64
/** An expiry nearer than this, in ms, is judged by a fresh reading: the timer is late after long synchronous work. */
export const NEAR = 10_000
/** The largest time value that a `Date` holds. */
const LAST_TIME = 8.64e15

/**
 * The clock as operations read it: whole milliseconds, never backwards, and cheap. `Date.now()` at each operation would
 * cost half of a hit, so a system reading serves 64 reads or 1 ms, whichever ends first. An injected clock is read
 * every time.
 */
export class OperationClock {
  private readonly source: Clock
  private readonly cacheable: boolean
  private cached: number
  private readsLeft = 0
  private timer: NodeJS.Timeout | null = null
  /** Told at least every 64 reads; in the middle of an operation, which it must not disturb. */
  onRefresh: () => void = () => {}

  constructor(injected: Clock | null) {
    this.source = injected ?? new SystemClock()
    this.cacheable = injected === null
    this.cached = 0
    this.refresh()
  }

  /** Now, at most 1 ms or 64 reads old. */
  read(): number {
    return --this.readsLeft > 0 ? this.cached : this.refresh()
  }

  /** Now, read afresh. */
  refresh(): number {
    const now = Math.floor(this.source.now())
    // A clock that goes backwards, or answers NaN, stands still.
    if (now > this.cached && now <= LAST_TIME) this.cached = now
    if (this.cacheable) {
      this.readsLeft = READS_PER_REFRESH
      this.timer ??= setTimeout(this.expire, 1).unref()
    }
    this.onRefresh()
    return this.cached
  }

  /** Whether a time has come, by a fresh reading. */
  hasPassed(time: number): boolean {
    return time !== Number.POSITIVE_INFINITY && time <= this.refresh()
  }

  /** ms that the wall clock is ahead; 0 with an injected clock, which is the only clock there is. */
  wallOffset(): number {
    return this.source instanceof SystemClock ? Math.round(this.source.wallOffset()) : 0
  }

  stop(): void {
    if (this.timer !== null) clearTimeout(this.timer)
    this.timer = null
  }

  private readonly expire = (): void => {
    this.timer = null
    this.readsLeft = 0
  }
}
