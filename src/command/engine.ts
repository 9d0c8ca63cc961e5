import type { OperationClock } from '../base/clock.ts'
import type { Logger } from '../base/logger.ts'
import type { SizeFunction } from '../base/options.ts'
import type { PrefixRule } from '../base/prefix.ts'
import { isCalm } from '../decide/level.ts'
import type { State } from '../fold/state.ts'
import type { Publisher } from '../observe/publisher.ts'
import type { Actors } from './actor.ts'
import type { BudgetKeeper } from './budget-keeper.ts'
import type { Evictor } from './evictor.ts'
import type { Housekeeping } from './housekeeping.ts'
import type { Recorder } from './recorder.ts'
import type { Remeasuring } from './remeasuring.ts'

/** What the caches of one manager share. */
export interface EngineParts {
  readonly recorder: Recorder
  readonly clock: OperationClock
  readonly evictor: Evictor
  readonly housekeeping: Housekeeping
  readonly budgets: BudgetKeeper
  readonly actors: Actors
  readonly logger: Logger
  readonly sizing: 'heap' | 'payload' | SizeFunction
  /** Whether what is stored is a clone. */
  readonly clone: boolean
  readonly remeasuring: Remeasuring
  /** The user's own rule, guarded. */
  readonly prefix: PrefixRule | null
}

/** The machinery behind a manager and its caches. */
export class Engine {
  readonly state: State
  readonly recorder: Recorder
  readonly publisher: Publisher
  readonly clock: OperationClock
  readonly evictor: Evictor
  readonly housekeeping: Housekeeping
  readonly budgets: BudgetKeeper
  readonly actors: Actors
  readonly logger: Logger
  readonly sizing: EngineParts['sizing']
  readonly clone: boolean
  readonly remeasuring: Remeasuring
  readonly prefix: EngineParts['prefix']

  constructor(parts: EngineParts) {
    this.state = parts.recorder.state
    this.recorder = parts.recorder
    this.publisher = parts.recorder.publisher
    this.clock = parts.clock
    this.evictor = parts.evictor
    this.housekeeping = parts.housekeeping
    this.budgets = parts.budgets
    this.actors = parts.actors
    this.logger = parts.logger
    this.sizing = parts.sizing
    this.clone = parts.clone
    this.remeasuring = parts.remeasuring
    this.prefix = parts.prefix
  }

  /** The end of a public call that changed usage: judges the level, then tells the observers. */
  settle(at: number): void {
    if (!isCalm(this.state)) this.housekeeping.settle(at)
    else this.publisher.flush()
  }
}
