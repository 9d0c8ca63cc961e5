import fc from 'fast-check'
import { POLICIES, type PolicyName } from '../../src/base/settings.ts'

/** How a generated value is made, and what is said when it is stored. */
export interface StoreSpec {
  /** Its size is stated, or found from what it is; what is in a box can be changed later. */
  readonly kind: 'stated' | 'text' | 'bytes' | 'number' | 'box'
  /** Bytes, or length. */
  readonly size: number
  readonly ttl?: number | string
  readonly cost?: number
  readonly tags?: readonly string[]
  readonly actor?: string
}

export interface CacheSpec {
  readonly maxItems?: number
  readonly maxMemory?: number
  readonly ttl?: number
}

export interface LimitsSpec {
  readonly maxMemory?: number
  readonly maxHeap?: number
  readonly maxItems?: number
  readonly memoryThreshold?: number
  readonly evictionThreshold?: number
  readonly evictionTarget?: number
  readonly caches?: Readonly<Record<string, CacheSpec>>
}

/** One call (or step of time), as plain data: a failing sequence is printed as it can be typed. */
export type Command =
  | { readonly do: 'get' | 'peek' | 'has' | 'delete'; readonly cache: string; readonly key: string }
  | { readonly do: 'set' | 'getOrInsert'; readonly cache: string; readonly key: string; readonly store: StoreSpec }
  | {
      readonly do: 'fill'
      readonly cache: string
      readonly count: number
      readonly store: StoreSpec
      readonly until: 'end' | 'cycle' | 'idle'
    }
  | {
      readonly do: 'near'
      readonly cache: string
      readonly key: string
      readonly by: number
      readonly call: 'get' | 'peek' | 'has' | 'delete'
    }
  | { readonly do: 'calm'; readonly by: number }
  | {
      readonly do: 'change'
      readonly cache: string
      readonly key: string
      readonly to: Pick<StoreSpec, 'kind' | 'size'>
    }
  | { readonly do: 'clear' | 'drop'; readonly cache: string }
  | { readonly do: 'make'; readonly cache: string; readonly options?: CacheSpec }
  | {
      readonly do: 'evict'
      readonly cache?: string
      readonly target?: number
      readonly actor?: string
      readonly after?: number
    }
  | { readonly do: 'check' | 'reset' | 'idle' | 'inspect' | 'refold' }
  | { readonly do: 'clock'; readonly by: number }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'limits'; readonly limits: LimitsSpec }
  | { readonly do: 'policy'; readonly policy: PolicyName; readonly threshold?: number }

/** With what a manager is made. */
export interface Config {
  readonly policy: PolicyName
  readonly maxMemory: number
  readonly maxHeap?: number
  readonly maxItems: number
  readonly maxCaches: number
  readonly memoryThreshold: number
  readonly evictionThreshold: number
  readonly evictionTarget?: number
  readonly onFull: 'evict' | 'reject'
  readonly sizing: 'heap' | 'payload' | 'function'
  readonly checkInterval: number
  readonly remeasure: number
  readonly caches: Readonly<Record<string, CacheSpec>>
  readonly startsAt: number
  /** Sizes and budgets are this many times what is generated, as heap estimates have a floor. */
  readonly scale: number
  /** Most stores of one `fill`, which may also end as soon as a cycle runs, and then idle. */
  readonly mostFilled: number
}

/** Some often, some seldom: what is never hit or overwritten tests little. */
const cache = fc.constantFrom('a', 'a', 'a', 'a', 'a', 'a', 'b', 'b', '7', 'constructor')
const HOT = ['', 'k', 'user:1']
const COLD = [
  '__proto__',
  'user:2',
  'doc/1',
  'doc/2',
  '\ud800',
  'z',
  'y',
  'x',
  'a key that is longer than thirty-two characters',
]
const key = fc.constantFrom(...HOT, ...HOT, ...HOT, ...HOT, ...HOT, ...COLD)
const size = fc.oneof(
  { arbitrary: fc.integer({ min: 0, max: 40 }), weight: 8 },
  { arbitrary: fc.integer({ min: 0, max: 500 }), weight: 1 },
)
const ttl = fc.oneof(
  fc.integer({ min: 1, max: 90 }),
  fc.constantFrom<number | string>(1000, 9_999, 10_001, 60_000, '2s', 0.3, 1e15, Number.POSITIVE_INFINITY),
)
/** A record with the first fields, and each of the others once in `seldom` times. */
function mostlyWithout<T extends object, R extends object>(
  first: { [K in keyof T]: fc.Arbitrary<T[K]> },
  others: { [K in keyof R]: fc.Arbitrary<R[K]> },
  seldom: number,
) {
  const sometimes = Object.fromEntries(
    Object.entries<fc.Arbitrary<unknown>>(others).map(([name, of]) => [
      name,
      fc.oneof({ arbitrary: fc.constant(undefined), weight: seldom - 1 }, { arbitrary: of, weight: 1 }),
    ]),
  )
  const whole = fc.record({ ...first, ...sometimes }, { noNullPrototype: true })
  return whole.map(
    (record) => Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as T & Partial<R>,
  )
}

const store = (kinds: readonly StoreSpec['kind'][]): fc.Arbitrary<StoreSpec> =>
  mostlyWithout(
    { kind: fc.constantFrom(...kinds), size },
    {
      ttl,
      cost: fc.integer({ min: 0, max: 9 }),
      tags: fc.array(fc.constantFrom('red', 'blue'), { maxLength: 2 }),
      actor: fc.constantFrom('ann', 'bob'),
    },
    3,
  )

const KINDS: Readonly<Record<Config['sizing'], readonly StoreSpec['kind'][]>> = {
  heap: ['stated', 'text', 'bytes', 'number', 'box', 'box'],
  payload: ['stated', 'text', 'text', 'bytes', 'number', 'box', 'box'],
  function: ['stated', 'stated', 'text', 'number', 'box', 'box'],
}

const itemLimit = fc.oneof(fc.integer({ min: 2, max: 9 }), fc.constant(Number.POSITIVE_INFINITY))
const budget = fc.integer({ min: 60, max: 400 })
const cacheSpec: fc.Arbitrary<CacheSpec> = mostlyWithout(
  {},
  { maxItems: itemLimit, maxMemory: budget, ttl: fc.constantFrom(40, 33.4, 5_000, Number.POSITIVE_INFINITY) },
  3,
)
const threshold = fc.constantFrom(1, 0.9, 0.9, 0.5)
const limits: fc.Arbitrary<LimitsSpec> = mostlyWithout(
  {},
  {
    maxMemory: budget,
    maxHeap: budget,
    maxItems: itemLimit,
    memoryThreshold: fc.constantFrom(0.8, 0.5, 0.9),
    evictionThreshold: threshold,
    evictionTarget: fc.constantFrom(0, 0.3, 0.6),
    caches: fc.dictionary(cache, cacheSpec, { minKeys: 1, maxKeys: 2, noNullPrototype: true }),
  },
  5,
)

/** Small caches that are always full, and a large one whose cycles take several slices. */
export function configOf(policy: PolicyName): fc.Arbitrary<Config> {
  const common = {
    policy: fc.constant(policy),
    memoryThreshold: fc.constantFrom(0.8, 0.5, 0.9),
    onFull: fc.constantFrom<Config['onFull']>('evict', 'evict', 'evict', 'evict', 'reject'),
    checkInterval: fc.constantFrom(0, 500, 30_000),
    remeasure: fc.constantFrom(0, 2, 1000),
    startsAt: fc.constantFrom(0, 1_000, 1_700_000_000_123, 64 ** 7 - 50),
  }
  const small = mostlyWithout(
    {
      ...common,
      maxMemory: budget,
      maxItems: fc.constantFrom(4, 7, 12, 12, Number.POSITIVE_INFINITY),
      maxCaches: fc.constantFrom(3, 1000),
      evictionThreshold: threshold,
      sizing: fc.constantFrom<Config['sizing']>('heap', 'payload', 'function'),
      caches: fc.record({ a: cacheSpec, b: cacheSpec, '7': cacheSpec }, { requiredKeys: ['a'], noNullPrototype: true }),
      mostFilled: fc.constant(4),
    },
    { maxHeap: budget, evictionTarget: fc.constantFrom(0.1, 0.4) },
    3,
  )
  const large = fc.record({
    ...common,
    maxMemory: fc.constantFrom(1_000, 1_500),
    maxItems: fc.constantFrom(Number.POSITIVE_INFINITY, 350),
    maxCaches: fc.constant(1000),
    evictionThreshold: fc.constantFrom(0.9, 0.5),
    evictionTarget: fc.constantFrom(0.05, 0.4),
    sizing: fc.constant<Config['sizing']>('function'),
    caches: fc.constant({ a: {}, b: {} }),
    mostFilled: fc.constant(400),
  })
  return fc
    .oneof({ arbitrary: small, weight: 3 }, { arbitrary: large, weight: 1 })
    .map((config): Config => ({ ...config, scale: config.sizing === 'heap' ? 25 : 1 }))
}

/** Calls that any code may make at any time, from inside a subscriber, too. */
export function callsOf(sizing: Config['sizing']): fc.Arbitrary<Command> {
  const stored = store(KINDS[sizing])
  const filled = mostlyWithout(
    { kind: fc.constant<'stated'>('stated'), size: fc.integer({ min: 0, max: 4 }) },
    { ttl },
    3,
  )
  const one = <T extends Command['do']>(...names: T[]) => ({ do: fc.constantFrom(...names) })
  return fc.oneof(
    { weight: 30, arbitrary: fc.record({ ...one('set'), cache, key, store: stored }) },
    { weight: 24, arbitrary: fc.record({ ...one('get'), cache, key }) },
    { weight: 5, arbitrary: fc.record({ ...one('getOrInsert'), cache, key, store: stored }) },
    { weight: 3, arbitrary: fc.record({ ...one('peek', 'has'), cache, key }) },
    { weight: 3, arbitrary: fc.record({ ...one('delete'), cache, key }) },
    {
      weight: 8,
      arbitrary: fc.record({
        ...one('near'),
        cache,
        key,
        by: fc.constantFrom(-1, 0, 0, 1),
        call: fc.constantFrom('get', 'get', 'peek', 'has', 'delete'),
      }),
    },
    { weight: 2, arbitrary: fc.record({ ...one('calm'), by: fc.constantFrom(-1, 0, 0, 1) }) },
    {
      weight: 8,
      arbitrary: fc.record({
        ...one('change'),
        cache,
        key,
        to: fc.record({ kind: fc.constantFrom('text' as const, 'bytes' as const), size }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ ...one('clear', 'drop'), cache }) },
    { weight: 2, arbitrary: mostlyWithout({ ...one('make'), cache }, { options: cacheSpec }, 2) },
    {
      weight: 3,
      arbitrary: fc.record({
        ...one('fill'),
        cache,
        count: fc.integer({ min: 1, max: 400 }),
        store: filled,
        until: fc.constantFrom('end' as const, 'cycle' as const, 'idle' as const),
      }),
    },
    {
      weight: 2,
      arbitrary: mostlyWithout(
        one('evict'),
        { cache, target: fc.constantFrom(0, 0.3, 0.5, 0.5, 1, 20, 100), actor: fc.constant('ops'), after: fc.nat(90) },
        2,
      ),
    },
    { weight: 3, arbitrary: fc.record(one('check', 'check', 'reset', 'inspect')) },
    { weight: 12, arbitrary: fc.record({ ...one('clock'), by: clockStep }) },
    { weight: 2, arbitrary: fc.record({ ...one('limits'), limits }) },
    {
      weight: 2,
      arbitrary: mostlyWithout({ ...one('policy'), policy: fc.constantFrom(...POLICIES) }, { threshold }, 2),
    },
  )
}

const clockStep = fc.oneof(
  { arbitrary: fc.integer({ min: 0, max: 20 }), weight: 20 },
  { arbitrary: fc.constantFrom(0.4, 1_000, 9_500, 30_000, 4_000_000, 5e12), weight: 3 },
  { arbitrary: fc.constantFrom(-500, -1e9, Number.NaN), weight: 1 },
)

/** Calls, and what happens between calls. */
export function commandsOf(sizing: Config['sizing'], maxLength: number): fc.Arbitrary<Command[]> {
  return fc.array(
    fc.oneof(
      { weight: 40, arbitrary: callsOf(sizing) },
      { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('idle' as const, 'idle' as const, 'refold' as const) }) },
      {
        weight: 1,
        arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(40, 600, 2_500, 31_000) }),
      },
    ),
    { minLength: 1, maxLength, size: 'max' },
  )
}
