import { customRandom, urlAlphabet } from 'nanoid'
import type { OperationClock } from '../base/clock.ts'
import { OptionError } from '../base/errors.ts'
import { evictionTarget } from '../base/options.ts'
import { SeededRandom } from '../base/random.ts'
import type { ByteText } from '../base/units.ts'
import { adaptation } from '../decide/adaptation.ts'
import { cacheOfVictim, cacheWithDue, type Eviction } from '../decide/departure.ts'
import { division } from '../decide/division.ts'
import { exceedsCommonLimit, exceedsOwnLimit } from '../decide/room.ts'
import type { CycleCompleted } from '../event/catalogue.ts'
import type { CycleTrigger, EvictionCause } from '../event/vocabulary.ts'
import type { CacheState } from '../fold/cache-state.ts'
import { NONE } from '../fold/columns.ts'
import type { State } from '../fold/state.ts'
import type { Attribution } from './actor.ts'
import type { Recorder } from './recorder.ts'

/** Entries that one slice of a cycle gives up: a number, not a time, so that a run can be repeated. Some 50 µs. */
const SLICE = 128

/** How far a cycle goes. */
export interface CycleGoal {
  readonly trigger: CycleTrigger
  /** The only cache that gives entries up, or `null`. */
  readonly cache: CacheState | null
  /** Bytes, of that cache or in all, that it goes down to. */
  readonly targetBytes: number
  /** Bytes on the heap, likewise. */
  readonly targetHeapBytes: number
}

/** What a whole cycle has evicted so far. */
interface Tally {
  entries: number
  bytes: number
}

/** What the write that pays for a slice is about to store. */
export interface Incoming {
  /** Bytes beyond those of the entry that it replaces. */
  readonly bytes: number
  readonly heapBytes: number
  /** That entry, or `NONE`. */
  readonly replaced: number
  readonly trigger: Eviction['trigger']
}

const NOTHING_INCOMING: Incoming = { bytes: 0, heapBytes: 0, replaced: NONE, trigger: null }

/** What a cycle did, as its `cycle-completed` says. */
export type CycleSummary = Omit<CycleCompleted, 'seq' | 'at' | 'type'>

/** Gives entries up: carries out what `decide/` chose, an event each. */
export class Evictor {
  private readonly state: State
  private readonly recorder: Recorder
  private readonly clock: OperationClock
  private readonly newCycleId: () => string
  /** Entries evicted so far, those past their time not counted. */
  private evicted = 0

  constructor(recorder: Recorder, clock: OperationClock) {
    this.state = recorder.state
    this.recorder = recorder
    this.clock = clock
    const random = new SeededRandom(this.state.seed)
    this.newCycleId = customRandom(urlAlphabet, 21, (size) => random.bytes(size))
  }

  expire(cache: CacheState, h: number, at: number): void {
    this.recorder.expired(at, cache, h)
  }

  /** Frees entries past their time, at most so many; returns whether there may be more. */
  sweep(at: number, most: number): boolean {
    for (let freed = 0; freed < most; freed++) if (!this.expireOne(null, at)) return false
    return true
  }

  /** A slice of what is past its time, as each write frees it. */
  sweepSlice(at: number): boolean {
    return this.sweep(at, SLICE)
  }

  /** Frees one entry past its time, of one cache or of any; returns whether there was one. */
  expireOne(own: CacheState | null, at: number): boolean {
    const cache = own ?? cacheWithDue(this.state, at)
    const due = cache === null ? NONE : cache.due(at)
    if (cache === null || due === NONE) return false
    this.expire(cache, due, at)
    return true
  }

  /** Frees one entry for a limit: one past its time, else the policy's victim. `false` if there is nobody. */
  freeOne(
    own: CacheState | null,
    except: number,
    cause: EvictionCause,
    trigger: Eviction['trigger'],
    cycle: string | null,
    at: number,
  ): boolean {
    // An observer of a long eviction may have closed the manager.
    if (this.state.stopped) return false
    if (at >= this.state.soonestExpiry && this.expireOne(own, at)) return true
    if (own === null && this.state.division !== null) this.divide(at)
    const cache = own ?? cacheOfVictim(this.state, except, cause, at)
    if (cache === null) return false
    if (cache.adapting !== null) this.adapt(cache, cause, at)
    const victim = cache.order.victim(except, at)
    if (victim === NONE) return false
    this.recorder.evicted(at, cache, victim, cause, trigger, cycle)
    this.evicted++
    return true
  }

  /** Before the cache is chosen: only then do shares matter. */
  private divide(at: number): void {
    const change = division(this.state, this.recorder.nextSeq, at)
    if (change !== null) this.recorder.record(change)
  }

  /** Before a victim is chosen: only then does it matter by which rules. */
  private adapt(cache: CacheState, cause: EvictionCause, at: number): void {
    const change = adaptation(this.state, cache, cause, this.recorder.nextSeq, at)
    if (change !== null) this.recorder.record(change)
  }

  /** Starts a cycle that goes on between calls: a slice with each write, the rest when idle. */
  startBackground(trigger: 'threshold' | 'pressure', at: number): void {
    const { targetBytes, targetHeapBytes } = this.state.limits
    this.recordStart({ trigger, cache: null, targetBytes, targetHeapBytes }, { actor: null, traceId: null }, at)
  }

  /** One slice of the cycle that is running, and its end if that is reached; what is about to be stored counts as there. */
  runSlice(incoming: Incoming, at: number): void {
    const running = this.state.cycle
    if (running === null) return
    const { cycle, trigger: cause, targetBytes, targetHeapBytes } = running.started
    const { bytes, heapBytes, trigger } = incoming
    const reached = (): boolean =>
      this.state.bytes + bytes <= targetBytes && this.state.heapBytes + heapBytes <= targetHeapBytes
    for (let freed = 0; freed < SLICE && !reached(); freed++) {
      // Each event has its own: whoever is told of it may change it.
      const own = trigger === null ? null : { ...trigger }
      if (!this.freeOne(null, incoming.replaced, cause, own, cycle, at)) break
    }
    if (reached() || this.state.items === 0) this.completeBackground(at)
  }

  /** An idle slice, told as such. */
  continueBackground(at: number): void {
    const running = this.state.cycle
    if (running === null) return
    const { cycle, trigger, policy } = running.started
    this.recorder.record({
      seq: this.recorder.nextSeq,
      at,
      type: 'cycle-continued',
      cycle,
      trigger,
      policy,
      count: running.count,
      bytes: running.bytes,
      usage: this.state.usage,
    })
    this.runSlice(NOTHING_INCOMING, at)
  }

  /** Ends the cycle that is running, wherever it stands. */
  completeBackground(at: number): void {
    const running = this.state.cycle
    if (running === null) return
    const { cycle, trigger, policy, usage, at: startedAt } = running.started
    this.recordEnd(
      {
        cycle,
        trigger,
        policy,
        cache: null,
        count: running.count,
        bytes: running.bytes,
        usageBefore: usage,
        usageAfter: this.state.usage,
        duration: at - startedAt,
      },
      at,
    )
  }

  /** How far a forced cycle goes: to a share or bytes, or to the lower of the eviction target and 90 % of present usage. */
  forcedGoal(name: string | undefined, target: ByteText | undefined): CycleGoal {
    const { state } = this
    const { settings } = state
    const cache = name === undefined ? null : (state.caches.get(name) ?? null)
    if (name !== undefined && cache === null)
      throw new OptionError('cache', `${JSON.stringify(name)} is no cache of this manager`)
    const own = cache !== null && cache.settings.maxMemory !== Number.POSITIVE_INFINITY
    const budget = own ? cache.settings.maxMemory : settings.maxMemory
    const held = cache === null ? state.bytes : cache.bytes
    const goal = target === undefined ? null : evictionTarget(target)
    if (goal?.bytes !== undefined)
      return { trigger: 'forced', cache, targetBytes: goal.bytes, targetHeapBytes: Number.POSITIVE_INFINITY }
    const used = cache === null ? state.usage : held / budget
    const share = goal?.share ?? Math.min(settings.evictionTarget, 0.9 * used)
    // Without a budget there is no usage to take a share of: 90 % of what is held.
    const targetBytes = Number.isFinite(budget) ? Math.floor(share * budget) : Math.floor((goal?.share ?? 0.9) * held)
    const targetHeapBytes =
      cache === null && Number.isFinite(settings.maxHeap)
        ? Math.floor(share * settings.maxHeap)
        : Number.POSITIVE_INFINITY
    return { trigger: 'forced', cache, targetBytes, targetHeapBytes }
  }

  /** Evicts what exceeds a stated limit, in this call. */
  holdLimits(by: Attribution): void {
    const { state } = this
    if (exceedsCommonLimit(state) || state.cacheList.some(exceedsOwnLimit)) this.runWhole(this.limitGoal(), by)
  }

  /** Down to the limits that hold now. */
  private limitGoal(): CycleGoal {
    const { maxMemory, maxHeap } = this.state.settings
    return { trigger: 'limit-lowered', cache: null, targetBytes: maxMemory, targetHeapBytes: maxHeap }
  }

  /** A whole cycle in this call. Some 0.5 s per million entries given up; observers are told in between. */
  runWhole(goal: CycleGoal, by: Attribution): CycleSummary {
    const startedAt = this.clock.refresh()
    const { state } = this
    const usageBefore = state.usage
    const cycle = this.recordStart(goal, by, startedAt)
    const reached =
      goal.cache === null ? () => this.reachedInAll(goal) : () => (goal.cache as CacheState).bytes <= goal.targetBytes
    const tally: Tally = { entries: 0, bytes: 0 }
    // No more than were there: an observer that puts back what is evicted must not keep this going for ever.
    let rest = state.items
    if (goal.trigger === 'limit-lowered') rest -= this.evictToLimits(goal.trigger, cycle, tally)
    for (; rest > 0 && !reached(); rest--) if (!this.freeNext(goal.cache, goal.trigger, cycle, tally)) break
    const at = this.clock.refresh()
    const summary: CycleSummary = {
      cycle,
      trigger: goal.trigger,
      policy: state.policy.name,
      cache: goal.cache?.name ?? null,
      count: tally.entries,
      bytes: tally.bytes,
      usageBefore,
      usageAfter: state.usage,
      duration: at - startedAt,
    }
    // An observer may have closed the manager meanwhile: nothing comes after that.
    if (!state.stopped) this.recordEnd(summary, at)
    return summary
  }

  private reachedInAll(goal: CycleGoal): boolean {
    return this.state.bytes <= goal.targetBytes && this.state.heapBytes <= goal.targetHeapBytes
  }

  /** Until no cache exceeds a limit; returns how many entries that took. */
  private evictToLimits(cause: EvictionCause, cycle: string, tally: Tally): number {
    let freed = 0
    const { state } = this
    // The caches' own limits first: what they take counts towards the common ones.
    for (const cache of state.cacheList) {
      while (exceedsOwnLimit(cache) && this.freeNext(cache, cause, cycle, tally)) freed++
    }
    while (exceedsCommonLimit(state) && this.freeNext(null, cause, cycle, tally)) freed++
    return freed
  }

  /** Frees the next entry of a whole cycle and counts it, if it was evicted; tells the observers after each slice. */
  private freeNext(own: CacheState | null, cause: EvictionCause, cycle: string, tally: Tally): boolean {
    const { state } = this
    const before = { bytes: state.bytes, evicted: this.evicted }
    if (!this.freeOne(own, NONE, cause, null, cycle, this.clock.read())) return false
    if (this.evicted !== before.evicted) {
      tally.entries++
      tally.bytes += before.bytes - state.bytes
      if (tally.entries % SLICE === 0) this.recorder.publisher.flush()
    }
    return true
  }

  private recordStart(goal: CycleGoal, by: Attribution, at: number): string {
    const cycle = this.newCycleId()
    const { state } = this
    this.recorder.record({
      seq: this.recorder.nextSeq,
      at,
      type: 'cycle-started',
      cycle,
      trigger: goal.trigger,
      policy: state.policy.name,
      cache: goal.cache?.name ?? null,
      bytes: state.bytes,
      items: state.items,
      usage: state.usage,
      targetBytes: goal.targetBytes,
      targetHeapBytes: goal.targetHeapBytes,
      actor: by.actor,
      traceId: by.traceId,
    })
    return cycle
  }

  private recordEnd(summary: CycleSummary, at: number): void {
    this.recorder.record({ seq: this.recorder.nextSeq, at, type: 'cycle-completed', ...summary })
  }
}
