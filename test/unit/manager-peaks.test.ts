import { expect, test } from 'vitest'
import { bed, tightBed } from '../support/manager-bed.ts'

const peakOf = (test: ReturnType<typeof bed>, metric: string) =>
  test.of('peaked').filter((event) => event.metric === metric)

test('a peak tells what each cache held when it was reached, whatever left since', () => {
  const it = tightBed(10_000)
  it.memory.cache('a').set('user:1', 1, { size: 700 })
  it.memory.cache('b').set('job:1', 1, { size: 300 })
  it.memory.cache('a').delete('user:1')
  it.memory.cache('b').set('job:2', 1, { size: 100 })
  it.memory.check()
  expect(peakOf(it, 'bytes')).toMatchObject([
    {
      value: 1000,
      held: {
        caches: [
          { cache: 'a', items: 1, bytes: 700 },
          { cache: 'b', items: 1, bytes: 300 },
        ],
        prefixes: [{ cache: 'b', prefix: 'job', items: 2, bytes: 400 }],
        counted: 2,
        items: 2,
      },
    },
  ])
  it.memory.cache('a').set('user:2', 1, { size: 900 })
  it.memory.check()
  expect(peakOf(it, 'bytes').at(-1)?.held.caches).toEqual([
    { cache: 'a', items: 1, bytes: 900 },
    { cache: 'b', items: 2, bytes: 400 },
  ])
})

test('a smaller value in place of a larger one keeps what the peak consisted of', () => {
  const it = tightBed(10_000)
  const cache = it.memory.cache('a')
  cache.set('k', 1, { size: 700 })
  cache.set('k', 1, { size: 50 })
  it.memory.check()
  expect(peakOf(it, 'bytes')).toMatchObject([{ value: 700, held: { caches: [{ cache: 'a', items: 1, bytes: 700 }] } }])
})

test('of many entries the prefixes are an estimate that says how many it rests on', () => {
  const it = tightBed(Number.MAX_SAFE_INTEGER)
  const cache = it.memory.cache('a')
  for (let i = 0; i < 20_000; i++)
    cache.set(`${i % 4 === 0 ? 'big' : 'small'}/${i}`, 1, { size: i % 4 === 0 ? 900 : 100 })
  it.memory.check()
  const held = peakOf(it, 'bytes')[0]?.held
  expect(held).toMatchObject({ counted: 1000, items: 20_000, caches: [{ bytes: 6_000_000 }] })
  const [first, second] = held?.prefixes ?? []
  expect([first?.prefix, second?.prefix]).toEqual(['big', 'small'])
  expect((first?.bytes ?? 0) + (second?.bytes ?? 0)).toBe(6_000_000)
  expect(first?.bytes).toBeGreaterThan(6_000_000 * 0.7)
  expect(first?.bytes).toBeLessThan(6_000_000 * 0.8)
})

test("under a rule of the user's own the prefixes of a peak are not asked for", () => {
  let asked = 0
  const it = bed({
    prefix: (key) => {
      asked++
      return key
    },
  })
  it.memory.cache('a').set('k', 1)
  it.memory.check()
  expect(asked).toBe(1)
  expect(peakOf(it, 'bytes')).toMatchObject([{ held: { prefixes: [], counted: 0, items: 0 } }])
})

test('whoever is told of a peak may change what it is told: nothing of that is kept, nor told of the next', () => {
  const it = bed()
  it.memory.cache('a').set('user:1', 1, { size: 700 })
  const told: number[] = []
  it.memory.on('peaked', ({ held }) => {
    for (const holding of [...held.caches, ...held.prefixes]) {
      told.push(holding.bytes)
      Reflect.set(holding, 'bytes', -1)
    }
  })
  it.memory.check()
  expect(told).toEqual(Array(6).fill(700))
})
