import type { chance } from '../../support/chance.ts'

/** Whose code it is: every kind of function that a user gives to the cache. */
const CALLBACKS = ['subscriber', 'loader', 'estimator', 'logger', 'prefix rule', 'maker', 'listener'] as const
export type Callback = (typeof CALLBACKS)[number]

/** What such a function may do instead of its work. */
type Deed = 'throws' | 'rejects' | 'hangs' | 'calls back' | 'closes' | 'answers nonsense'

/** Which deed of whom makes sense; a synchronous endless loop is nobody's to survive. */
const POSSIBLE: Readonly<Record<Callback, readonly Deed[]>> = {
  subscriber: ['throws', 'rejects', 'hangs', 'calls back', 'closes', 'answers nonsense'],
  loader: ['throws', 'rejects', 'hangs', 'calls back', 'closes', 'answers nonsense'],
  estimator: ['throws', 'hangs', 'calls back', 'closes', 'answers nonsense'],
  logger: ['throws', 'rejects', 'hangs', 'calls back', 'closes'],
  'prefix rule': ['throws', 'calls back', 'closes', 'answers nonsense'],
  maker: ['throws', 'calls back', 'closes', 'answers nonsense'],
  listener: ['calls back', 'closes'],
}

export type Misdeed = `${Callback} ${Deed}`

export const MISDEEDS: readonly Misdeed[] = CALLBACKS.flatMap((of) =>
  POSSIBLE[of].map((deed): Misdeed => `${of} ${deed}`),
)

/** How deep callbacks may call each other, and how often in a scenario they may call the cache. */
const DEEPEST = 3
const MOST_CALLS = 60

/** Errors that hurt whoever looks at them. */
const HOSTILE: readonly (() => unknown)[] = [
  () => new Error('an ordinary one'),
  () => null,
  () => undefined,
  () => 'a string',
  () => Symbol('no error'),
  () => Object.defineProperty(new Error(), 'name', { get: () => fail('its name throws') }),
  () => Object.assign(new Error(), { name: Symbol('no name') }),
  () => Object.assign(new Error(), { name: { toString: () => fail('its name is no text') } }),
  () => Object.defineProperty(new Error(), 'message', { get: () => fail('its message throws') }),
  () => new Proxy(new Error(), { getPrototypeOf: () => fail('it has no prototype') }),
  revoked,
]

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable(new Error(), {})
  revoke()
  return proxy
}

function fail(message: string): never {
  throw new Error(message)
}

function hostileError(n: number): unknown {
  return HOSTILE[n % HOSTILE.length]?.()
}

/** Deeds done by the callbacks of one scenario: at random, by its own misdeeds only, and counted. */
export class Mischief {
  /** How often each was done. */
  readonly done = new Map<Misdeed, number>()
  readonly #chance: ReturnType<typeof chance>
  readonly #misdeeds: readonly Misdeed[]
  readonly #callBack: () => void
  readonly #close: () => void
  #depth = 0
  #calls = MOST_CALLS

  /**
   * @param callBack makes some call of the cache
   * @param close closes it
   */
  constructor(
    random: ReturnType<typeof chance>,
    misdeeds: readonly Misdeed[],
    callBack: () => void,
    close: () => void,
  ) {
    this.#chance = random
    this.#misdeeds = misdeeds
    this.#callBack = callBack
    this.#close = close
  }

  has(misdeed: Misdeed): boolean {
    return this.#misdeeds.includes(misdeed)
  }

  get(misdeed: Misdeed): number {
    return this.done.get(misdeed) ?? 0
  }

  /** The scenario is at its end: what it looks at now is not to begin anything. */
  callsNoMore(): void {
    this.#calls = 0
  }

  /** Called where a callback is: mostly does nothing, and sometimes one of its misdeeds. Returns what the callback is to return. */
  strike(of: Callback, nonsense: readonly unknown[] = []): unknown {
    const deeds = POSSIBLE[of].filter((deed) => this.has(`${of} ${deed}`))
    if (deeds.length === 0 || this.#chance(3) !== 0) return undefined
    const deed = deeds[this.#chance(deeds.length)] as Deed
    // Once is enough, and seldom: what follows is dull.
    if (deed === 'closes' && this.#chance(8) !== 0) return undefined
    if (deed === 'calls back' && (this.#depth >= DEEPEST || this.#calls === 0)) return undefined
    const misdeed: Misdeed = `${of} ${deed}`
    this.done.set(misdeed, this.get(misdeed) + 1)
    const error = deed === 'throws' || deed === 'rejects' ? hostileError(this.#chance(HOSTILE.length)) : undefined
    if (deed === 'throws') throw error
    if (deed === 'rejects') return Promise.reject(error)
    if (deed === 'hangs') return new Promise<never>(() => {})
    if (deed === 'answers nonsense') return nonsense[this.#chance(Math.max(1, nonsense.length))]
    this.#depth++
    try {
      if (deed === 'closes') this.#close()
      else {
        this.#calls--
        this.#callBack()
      }
    } finally {
      this.#depth--
    }
    return undefined
  }
}
