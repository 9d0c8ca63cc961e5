import { describe, expect, test } from 'vitest'
import { NONE } from '../../src/fold/columns.ts'
import { MODES } from '../../src/fold/policies/hybrid/modes.ts'
import { CacheOfOneMode } from '../support/cache-of-one-mode.ts'
import { chance } from '../support/chance.ts'
import { MadeState } from '../support/made-state.ts'
import { zipf } from '../support/workloads.ts'

describe('a cache that nobody compares', () => {
  test.each(MODES.map(({ name }) => name))(
    'gives up in mode %s whom a plain one does, whatever is asked for, stored and removed',
    (mode) => {
      const others = ['a', 'b', 'd', 'e']
      const caches = new MadeState({ policy: 'hybrid' }, [...others, 'c'])
      for (const cache of others) caches.add('first', 1, { cache })
      const capacity = 50
      const hashOf = (key: number) => caches.state.hasher.hash(`k${key}`)
      const alone = new CacheOfOneMode(mode, hashOf, () => Math.max(1_024, 80 * caches.state.items))
      alone.sinceHalved = others.length
      const below = chance(7)
      const { next } = zipf(100, 0.6, 3)
      const ask = (key: string): void => {
        if (caches.handleOf(key) >= 0) return caches.tell('accessed', { cache: 'c', key })
        caches.tell('missed', { cache: 'c', key })
        const cache = caches.cache()
        if (cache.items === capacity) {
          const victim = caches.state.columns.keys[cache.order.victim(NONE, caches.run.at)] as string
          caches.tell('evicted', { cache: 'c', key: victim, cause: 'items', cycle: null })
        }
        caches.add(key, 1)
      }
      for (const key of ['k0', 'k1']) ask(key)
      caches.tell('adapted', { cache: 'c', to: mode })
      for (const n of [0, 1]) alone.ask(n, capacity, true)
      for (let i = 0; i < 7_000; i++) {
        const key = i % 3 === 0 ? next() : (Math.floor(i / 60) + below(55)) % 100
        const isThere = caches.handleOf(`k${key}`) >= 0
        if (isThere !== alone.held.has(key)) expect.fail(`before step ${i} one of the two holds ${key}`)
        if (i % 50 === 49 && isThere) {
          caches.tell('removed', { cache: 'c', key: `k${key}` })
          alone.forget(key)
        } else if (i % 50 === 48 && isThere) {
          caches.tell('updated', { cache: 'c', key: `k${key}`, size: 1 })
          alone.use(key, capacity, true)
        } else {
          ask(`k${key}`)
          // Room is made before the key comes: who has met it is not settled yet.
          if (!isThere) alone.makeRoom(capacity)
          alone.ask(key, capacity, true)
        }
      }
      expect(caches.cache().items).toBe(alone.held.size)
    },
  )
})
