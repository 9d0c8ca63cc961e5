import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { AuditFolder } from '../support/audit-file.ts'
import { WrittenRun } from '../support/audit-run.ts'
import { propertySeed } from '../support/property-seed.ts'

const RUNS = process.env.MUNINN_NIGHT === '1' ? 40 : 1
const HOUR = 3_600_000

interface Step {
  readonly type: 'added' | 'updated' | 'evicted' | 'expired' | 'removed' | 'cleared'
  readonly cache: 'a' | 'b'
  readonly key: string
  readonly minutes: number
  readonly writes: boolean
}

const step: fc.Arbitrary<Step> = fc.record({
  type: fc.constantFrom('added', 'added', 'updated', 'evicted', 'expired', 'removed', 'cleared' as const),
  cache: fc.constantFrom('a', 'b' as const),
  key: fc.constantFrom('k1', 'k2', 'k3', 'k4', 'k5'),
  minutes: fc.nat(40),
  writes: fc.boolean(),
})

interface StoredAt {
  readonly cache: string
  readonly key: string
  readonly seq: number
}

/** By the naive rule, who is there after these events. */
function present(events: readonly { seq: number; type: string; cache: string; key: string }[]): StoredAt[] {
  const there = new Map<string, StoredAt>()
  for (const { seq, type, cache, key } of events) {
    if (type === 'added' || type === 'updated') there.set(`${cache} ${key}`, { cache, key, seq })
    else if (type === 'cleared') {
      for (const [place, stored] of there) if (stored.cache === cache) there.delete(place)
    } else there.delete(`${cache} ${key}`)
  }
  return [...there.values()].sort((a, b) => a.seq - b.seq)
}

describe('what retention carries on', () => {
  test('are the stores of the entries that were there where it ended', () => {
    let carried = 0
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 300, size: 'max' }), (steps) => {
        using files = new AuditFolder()
        using run = new WrittenRun('one', { path: files.path(), level: 'changes', retention: { maxAge: '5h' } })
        const told: { seq: number; type: string; cache: string; key: string }[] = []
        for (const { type, cache, key, minutes, writes } of steps) {
          run.passTo(run.at + (minutes * HOUR) / 60)
          const fields = type === 'cleared' ? { cache } : { cache, key }
          told.push({ seq: run.tell(type, fields).seq, type, cache, key })
          if (!writes) continue
          run.write()
          run.keepUp()
        }
        run.write()
        run.keepUp()
        const [horizon] = files.rows<{ seq: number }>(`select seq from horizons where kind = 'departures'`)
        const gone = told.filter(({ seq }) => seq <= (horizon?.seq ?? 0))
        expect(files.rows('select cache, key, seq from carried order by seq')).toEqual(present(gone))
        carried += present(gone).length
      }),
      { seed: propertySeed(1), numRuns: 15 * RUNS },
    )
    expect(carried).toBeGreaterThan(0)
  })
})
