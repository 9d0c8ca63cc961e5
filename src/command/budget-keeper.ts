import type { OperationClock } from '../base/clock.ts'
import type { MemoryAllowance } from '../base/memory/allowance.ts'
import type { Collection, HeapReading, ProcessMemory, ResidentReading } from '../base/memory/process-memory.ts'
import { type CacheOptions, cacheShares, type Stated } from '../base/options.ts'
import { Outside } from '../base/outside.ts'
import { type Fullness, HEAP_MARKS, residentMarks } from '../decide/pressure.ts'
import type { BudgetChanged, Budgets, PressureEvidence } from '../event/catalogue.ts'
import type { State } from '../fold/state.ts'
import type { Evictor } from './evictor.ts'
import type { Housekeeping } from './housekeeping.ts'
import type { Recorder } from './recorder.ts'
import { allowanceChange } from './settings-change.ts'
import { Watch } from './watch.ts'

/** What a budget keeper works with. */
export interface BudgetParts {
  readonly recorder: Recorder
  readonly evictor: Evictor
  readonly housekeeping: Housekeeping
  readonly clock: OperationClock
  readonly allowance: MemoryAllowance
  readonly readAllowance: () => MemoryAllowance
  readonly stated: Stated
  /** `null`: the process is not watched. */
  readonly memory: ProcessMemory | null
}

/** ms between two looks at the process from the add path, at most: a look costs 4 µs, so 0.4 % of the time. */
const PACE = 1
/** Bytes a ms that a program can hardly exceed in filling memory: a look comes before a sixteenth of what is left went. */
const FASTEST = 8 * 1024 ** 2
/** A reading soon after a collection of the whole heap, in ms, has little garbage in it. */
const SETTLED = 100
/** Collections of the young generation are a sign of life: not more often than this, in ms, they make us look. */
const SIGN_OF_LIFE = 1000

/**
 * Keeps the budgets to what the process may use and has left. It looks at the process after each collection of the whole
 * heap, at each check and, since nothing else runs during synchronous work, from the add path: whenever the caches have
 * grown by a part of what is left, or after a ms: sizes that were stated may be wrong by any factor. It decides nothing of its own: what it reads is
 * judged by `decide/pressure.ts`, and each change is an event with its evidence.
 */
export class BudgetKeeper {
  allowance: MemoryAllowance
  stated: Stated
  private readonly state: State
  private readonly recorder: Recorder
  private readonly evictor: Evictor
  private readonly housekeeping: Housekeeping
  private readonly clock: OperationClock
  private readonly readAllowance: () => MemoryAllowance
  private readonly memory: ProcessMemory | null
  private readonly heap = new Watch()
  private readonly resident = new Watch()
  private readonly outside = new Outside()
  private stopListening: (() => void) | null = null
  /** `state.bytes` at which an add makes us look; -1: the next add does. */
  private mark = Number.POSITIVE_INFINITY
  /** By `memory.uptime()`. */
  private nextLook = 0
  private lastHeap: HeapReading = { used: 0, young: 0, limit: Number.POSITIVE_INFINITY }
  private lastResident: ResidentReading | null = null
  private lastLook = 0
  /** Pauses of collections, in ms, since `pausesSince`, and their share of the time before. */
  private pauses = 0
  private pausesSince = 0
  private collecting = 0

  constructor(parts: BudgetParts) {
    this.state = parts.recorder.state
    this.recorder = parts.recorder
    this.evictor = parts.evictor
    this.housekeeping = parts.housekeeping
    this.clock = parts.clock
    this.allowance = parts.allowance
    this.readAllowance = parts.readAllowance
    this.stated = parts.stated
    this.memory = parts.memory
  }

  start(): void {
    const { memory } = this
    this.housekeeping.onCheck = (at) => this.check(at)
    if (memory === null) return
    this.pausesSince = this.state.at
    this.stopListening = memory.onCollection((collection) => this.outside.run(() => this.collected(collection)))
    this.clock.onRefresh = () => {
      if (memory.uptime() >= this.nextLook) this.lookAtNextAdd()
    }
    this.look(memory, this.state.at, false)
  }

  stop(): void {
    this.stopListening?.()
    this.clock.onRefresh = () => {}
  }

  /** From the add path, off its fast way: looks at the process where it is time to. */
  attend(at: number): void {
    if (this.memory === null || this.state.bytes < this.mark) return
    this.look(this.memory, at, false)
  }

  /** A cache was made, which may have the name of one that was dropped. */
  newCache(name: string, options: CacheOptions): void {
    const { [name]: _, ...others } = this.stated.cacheShares
    this.stated = { ...this.stated, cacheShares: { ...others, ...cacheShares({ [name]: options }) } }
  }

  /** What the process may use is read anew, and then what it uses. */
  private check(at: number): void {
    this.renewAllowance(at)
    if (this.memory !== null) this.look(this.memory, at, false)
  }

  private collected({ whole, pause, ago }: Collection): void {
    const { memory, state } = this
    if (memory === null || state.stopped) return
    const at = this.clock.refresh()
    this.pauses += pause
    if (at - this.pausesSince >= SIGN_OF_LIFE) {
      this.collecting = Math.min(1, this.pauses / (at - this.pausesSince))
      this.pauses = 0
      this.pausesSince = at
    }
    if (!whole && at - this.lastLook < SIGN_OF_LIFE) return
    this.look(memory, at, whole && ago <= SETTLED)
    this.housekeeping.settle(at)
  }

  private lookAtNextAdd(): void {
    this.mark = -1
    this.state.limits.watchFrom(-1)
  }

  /** @param collected Whether a collection of the whole heap has just ended. */
  private look(memory: ProcessMemory, at: number, collected: boolean): void {
    const heap = memory.heap()
    const rss = memory.rss()
    // The old generation gets smaller in collections of the whole heap alone.
    const settled = collected || heap.used < this.lastHeap.used
    this.lastHeap = heap
    const before = this.lastResident
    const left = before === null ? 0 : before.limit - before.used - (rss - before.rss)
    if (before === null || settled || at - this.lastLook >= SETTLED || rss - before.rss > left / 8) {
      this.lastResident = memory.resident()
      this.resident.saw(this.lastResident.used, at)
    }
    this.heap.saw(heap.used, at)
    this.lastLook = at
    this.judge(heap, this.lastResident as ResidentReading, settled, at)
    this.lookAgain(memory)
  }

  private judge(heap: HeapReading, resident: ResidentReading, settled: boolean, at: number): void {
    const { state } = this
    const ofHeap = {
      used: settled ? heap.used : withSurvivors(heap),
      limit: heap.limit,
      settled,
      strained: this.collecting > 0.3,
    }
    const strained = (resident.stalled ?? 0) > 10 || this.resident.fillsIn(resident.limit) < 2
    const ofResident = { ...resident, settled, strained }
    const { effective: now, settings } = state
    const maxHeap = this.heap.next(
      { held: state.heapBytes, effective: now.maxHeap, stated: settings.maxHeap },
      ofHeap,
      HEAP_MARKS,
      at,
    )
    const maxMemory = this.resident.next(
      { held: state.bytes, effective: now.maxMemory, stated: settings.maxMemory },
      ofResident,
      residentMarks(resident.limit),
      at,
    )
    if (maxHeap !== null) {
      const lowered = maxHeap < now.maxHeap
      this.change({ ...state.effective, maxHeap }, lowered, this.evidence('heap', ofHeap, 'V8 old generation'), at)
    }
    if (maxMemory !== null) {
      const lowered = maxMemory < now.maxMemory
      this.change({ ...state.effective, maxMemory }, lowered, this.evidence('memory', ofResident, resident.source), at)
    }
  }

  private evidence(watched: 'heap' | 'memory', { used, limit, settled }: Fullness, source: string): PressureEvidence {
    const { state, lastHeap, lastResident, collecting } = this
    return {
      watched,
      source,
      used,
      limit,
      afterCollection: settled,
      held: watched === 'heap' ? state.heapBytes : state.bytes,
      heapUsed: lastHeap.used,
      rss: lastResident?.rss ?? 0,
      growth: (watched === 'heap' ? this.heap : this.resident).growth,
      collecting,
      stalled: lastResident?.stalled ?? null,
    }
  }

  private change(to: Budgets, lowered: boolean, evidence: PressureEvidence, at: number): void {
    const { state, evictor } = this
    const { maxMemory, maxHeap } = state.settings
    this.record(to, { maxMemory, maxHeap }, lowered ? 'pressure' : 'relief', evidence, null, at)
    if (!lowered || (state.bytes <= state.limits.maxMemory && state.heapBytes <= state.limits.maxHeap)) return
    evictor.completeBackground(at)
    evictor.startBackground('pressure', at)
    this.housekeeping.expectIdle()
  }

  /** The next look: when the caches have grown by a part of what is left, or soon. */
  private lookAgain(memory: ProcessMemory): void {
    const { lastHeap, lastResident, state } = this
    const resident = lastResident as ResidentReading
    const left = Math.max(0, Math.min(lastHeap.limit - withSurvivors(lastHeap), resident.limit - resident.used))
    this.mark = state.bytes + Math.max(64 * 1024, left / 32)
    state.limits.watchFrom(this.mark)
    this.nextLook = memory.uptime() + Math.min(PACE, left / 16 / FASTEST)
  }

  /** A container's limit can be changed at run time. */
  private renewAllowance(at: number): void {
    const { state, evictor } = this
    const allowance = this.readAllowance()
    const before = this.allowance
    this.allowance = allowance
    if (allowance.bytes === before.bytes && allowance.heapLimit === before.heapLimit) return
    this.memory?.limitsAre(allowance)
    const { maxMemory, maxHeap, caches } = allowanceChange(state.settings, this.stated, allowance)
    const stated = { maxMemory, maxHeap }
    const to = {
      maxMemory: Math.min(maxMemory, state.ceiling.maxMemory),
      maxHeap: Math.min(maxHeap, state.ceiling.maxHeap),
    }
    const { sources, bytes, source, heapLimit, heapSource, heapSources } = allowance
    const mayUse = { bytes, source, sources, heapLimit, heapSource, heapSources }
    evictor.completeBackground(at)
    this.record(to, stated, 'allowance', null, mayUse, at)
    if (caches !== null) {
      this.recorder.record({
        seq: this.recorder.nextSeq,
        at,
        type: 'configured',
        from: { caches: caches.from },
        to: { caches: caches.to },
        reason: 'limits',
        actor: null,
        traceId: null,
      })
    }
    evictor.holdLimits({ actor: null, traceId: null })
  }

  private record(
    to: Budgets,
    stated: Budgets,
    reason: BudgetChanged['reason'],
    evidence: PressureEvidence | null,
    mayUse: BudgetChanged['mayUse'],
    at: number,
  ): void {
    this.recorder.record({
      seq: this.recorder.nextSeq,
      at,
      type: 'budget-changed',
      from: this.state.effective,
      to,
      stated,
      reason,
      evidence,
      mayUse,
    })
  }
}

/** Survivors of the young generation, as a share of the old one's limit, that are counted at most: all may be garbage. */
const SURVIVORS = 1 / 6

/**
 * In a small heap a collection can bring as much from the young generation as it takes from the old one, so that nothing
 * gets smaller, and the next one ends the process.
 */
function withSurvivors({ used, young, limit }: HeapReading): number {
  return used + Math.min(young, limit * SURVIVORS)
}
