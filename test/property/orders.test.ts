import assert from 'node:assert/strict'
import fc from 'fast-check'
import { describe, it } from 'vitest'
import { POLICIES, type PolicyName } from '../../src/base/settings.ts'
import { RecordedRun } from '../support/recorded-run.ts'
import { type Entry, firstToGo } from '../support/reference-entries.ts'

const RUNS = process.env.MUNINN_NIGHT === '1' ? 20 : 1
/** Nobody. */
const NOBODY = -1

type Step =
  | { readonly do: 'store'; readonly key: string; readonly size: number; readonly lives: number }
  | { readonly do: 'hit' | 'remove'; readonly key: string }
  | { readonly do: 'evict'; readonly except: string | null }
  | { readonly do: 'change'; readonly policy: PolicyName }

const key = fc.nat(20).map((n) => `k${n}`)
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant('store' as const),
      key,
      size: fc.nat(6),
      lives: fc.constantFrom(50, 51, 60, 1e6, Number.POSITIVE_INFINITY),
    }),
  },
  { weight: 12, arbitrary: fc.record({ do: fc.constant('hit' as const), key }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('remove' as const), key }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('evict' as const), except: fc.option(key) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('change' as const), policy: fc.constantFrom(...POLICIES) }) },
)

/** An order and a plain array, given the same steps. */
class Comparison {
  private readonly run: RecordedRun
  private policy: PolicyName
  private entries: Entry[] = []
  private uses = 0

  constructor(policy: PolicyName) {
    this.policy = policy
    this.run = new RecordedRun(policy)
  }

  take(step: Step): void {
    const { run } = this
    if (step.do === 'change') {
      run.changePolicy(step.policy)
      this.policy = step.policy
    } else if (step.do === 'evict') {
      const key = this.victim(step.except)
      if (key !== null) this.take({ do: 'remove', key })
    } else if (step.do === 'store') {
      const found = this.find(step.key)
      const entry = found ?? {
        cache: 'a',
        key: step.key,
        value: 0,
        offHeap: 0,
        isStated: true,
        storedAt: 0,
        storedBy: null,
        usedAt: 0,
        recency: 0,
        uses: 0,
        hits: 0,
        cost: 0,
        tags: [],
        size: 0,
        expiresAt: 0,
      }
      Object.assign(entry, { size: step.size, expiresAt: run.at + step.lives })
      if (found === undefined) this.entries.push(entry)
      this.use(entry)
      run.store(step.key, { size: step.size, expiresAt: entry.expiresAt })
    } else {
      const entry = this.find(step.key)
      if (entry === undefined) return
      if (step.do === 'hit') {
        this.use(entry)
        run.hit(step.key)
      } else {
        this.entries = this.entries.filter((other) => other !== entry)
        run.remove(step.key)
      }
    }
  }

  /** Whom the order offers, which must be whom the array says. */
  victim(except: string | null): string | null {
    const { run, policy } = this
    const candidates = this.entries.filter((entry) => entry.key !== except)
    const expected = firstToGo(policy, candidates)
    const offered = run.keyOf(run.cache().order.victim(except === null ? NOBODY : run.handleOf(except), run.at))
    if (expected !== null) assert.equal(offered, expected?.key ?? null, `whom ${policy} gives up, but for ${except}`)
    else
      assert.ok(
        candidates.some((entry) => entry.key === offered),
        `${offered} is there, and isn't ${except}`,
      )
    return offered
  }

  /** Takes out everybody, in order. */
  drain(): void {
    while (this.entries.length > 0) this.take({ do: 'evict', except: null })
    assert.equal(this.run.cache().order.victim(NOBODY, 0), NOBODY)
  }

  get keys(): string[] {
    return this.entries.map((entry) => entry.key)
  }

  private find(key: string): Entry | undefined {
    return this.entries.find((entry) => entry.key === key)
  }

  private use(entry: Entry): void {
    entry.uses++
    entry.recency = ++this.uses
  }
}

describe.each(POLICIES)('the order of %s', (policy) => {
  it('offers whom a sorted array says, with and without an exception', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120, size: 'max' }), (steps) => {
        const comparison = new Comparison(policy)
        for (const one of steps) {
          comparison.take(one)
          const first = comparison.victim(null)
          if (first !== null) comparison.victim(first)
        }
        for (const key of comparison.keys) comparison.victim(key)
        comparison.drain()
      }),
      { seed: 1, numRuns: 100 * RUNS },
    )
  })
})
