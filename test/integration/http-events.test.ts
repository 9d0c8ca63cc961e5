import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { EventReader, type Told } from './event-reader.ts'
import { ask, closedAfterEach, testService } from './http-support.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'muninn-events-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const { closing, service } = closedAfterEach()

async function reader(port: number, query = '', headers: Record<string, string> = {}): Promise<EventReader> {
  const made = await EventReader.open(port, query, headers)
  closing.push(() => made.close())
  return made
}

const kept = (name: string, level: 'departures' | 'changes' = 'changes') => ({
  memory: { audit: { path: join(folder, `${name}.db`), level }, maxItems: 10, policy: 'lru' as const },
})
const types = (events: readonly Told[]) => events.map(({ event }) => event)
const keys = (events: readonly Told[]) => events.map(({ data }) => data.key)
const own = (events: readonly Told[]) => events.filter(({ event }) => !event.startsWith('stream-'))

describe('live', () => {
  test('events come as they happen, in order, with identity, type and all of it', async () => {
    const { port, memory } = await service()
    const listener = await reader(port)
    expect(listener.headers['content-type']).toBe('text/event-stream; charset=utf-8')
    expect(listener.headers['cache-control']).toBe('no-store')
    expect(listener.headers['x-content-type-options']).toBe('nosniff')
    const cache = memory.cache<string>('tenant')
    cache.set('a:1', 'value', { tags: ['t'] })
    cache.get('a:1')
    cache.get('b')
    cache.delete('a:1')
    const events = await listener.count(4)
    expect(types(events)).toEqual(['added', 'accessed', 'missed', 'removed'])
    const seqs = events.map(({ data }) => data.seq as number)
    expect(seqs).toEqual([...seqs].sort((a, b) => a - b))
    expect(events.map(({ id }) => id)).toEqual(seqs.map((seq) => `${memory.runId}:${seq}`))
    expect(events[0]?.data).toMatchObject({
      run: memory.runId,
      at: expect.stringMatching(/Z$/),
      type: 'added',
      cache: 'tenant',
      key: 'a:1',
      size: expect.any(Number),
      expiresAt: null,
      tags: ['t'],
    })
    expect(JSON.stringify(events)).not.toContain('"value"')
  })

  test('filtered by types, by cache, by the beginning of keys', async () => {
    const { port, memory } = await service()
    const added = await reader(port, '?type=added,removed')
    const tenant = await reader(port, '?cache=tenant&type=added')
    const acme = await reader(port, '?prefix=acme%3A')
    const all = await reader(port)
    for (const [name, key] of [
      ['tenant', 'acme:1'],
      ['mimir', 'acme:2'],
      ['tenant', 'other:1'],
    ] as const)
      memory.cache(name).set(key, 1)
    memory.cache('tenant').get('other:1')
    memory.check()
    memory.cache('tenant').set('last', 1)
    memory.cache('tenant').set('acme:last', 1)
    const isLast = (events: readonly Told[]) => events.at(-1)?.data.key === 'acme:last'
    expect(keys(await added.until(isLast))).toEqual(['acme:1', 'acme:2', 'other:1', 'last', 'acme:last'])
    expect(keys(await tenant.until(isLast))).toEqual(['acme:1', 'other:1', 'last', 'acme:last'])
    expect(keys(await acme.until(isLast))).toEqual(['acme:1', 'acme:2', 'acme:last'])
    expect(types(await all.until(isLast))).toContain('checked')
  })

  test('what is asked wrongly is refused by name', async () => {
    const { port } = await service()
    const wrong: readonly [string, Record<string, string>, string][] = [
      ['?type=evicted,bogus', {}, 'type'],
      ['?type=', {}, 'type'],
      ['?kind=evicted', {}, 'kind'],
      ['?after=nonsense', {}, 'after'],
      ['', { 'last-event-id': 'nonsense' }, 'last-event-id'],
    ]
    for (const [query, headers, field] of wrong) {
      const answer = await ask(port, { path: `/api/events${query}`, headers })
      expect([query, answer.status, answer.json()]).toMatchObject([query, 400, { errors: [{ field }] }])
    }
    expect((await ask(port, { method: 'HEAD', path: '/api/events' })).status).toBe(405)
  })

  test('nobody listens, and the cache makes no events', async () => {
    const { port, memory } = await service()
    const { publisher } = (
      memory as unknown as { engine: { publisher: { lanes: Record<string, { heard: boolean }> } } }
    ).engine
    const heard = () =>
      Object.entries(publisher.lanes)
        .filter(([, lane]) => lane.heard)
        .map(([type]) => type)
    // They listen to loads, once they are there.
    await ask(port, { path: '/metrics' })
    const before = heard()
    const first = await EventReader.open(port, '?type=expired')
    const second = await EventReader.open(port, '?type=expired,accessed')
    expect(new Set(heard())).toEqual(new Set([...before, 'accessed', 'expired']))
    const gone = [first, second].map((one) => new Promise((resolve) => one.response.once('close', resolve)))
    first.close()
    second.close()
    await Promise.all(gone)
    // The service hears of the end when the socket does.
    while (heard().length > before.length) await ask(port, { path: '/livez' })
    expect(heard()).toEqual(before)
  })

  test('keys are hashed where they are to be', async () => {
    const { port, memory } = await service({ memory: { redactKeys: true, redactSecret: 'a secret of twenty…' } })
    const listener = await reader(port, '?type=added')
    const prefixed = await reader(port, '?type=added&prefix=user%3Aal')
    const shown = await reader(port, '?type=added&prefix=user%3A')
    memory.cache('tenant').set('user:alice', 1, { tags: ['user:alice'] })
    memory.cache('tenant').set('user:bob', 1)
    const [alice] = await listener.count(2)
    expect(alice?.data.key).toMatch(/^user:~[\w-]{22}$/)
    expect(alice?.data.tags).toEqual([alice?.data.key])
    await shown.count(2)
    expect(prefixed.events).toEqual([])
    expect(JSON.stringify([...listener.events, ...shown.events])).not.toMatch(/alice|bob/)
  })

  test('the end of the service ends the streams', async () => {
    const own = await testService()
    const listener = await EventReader.open(own.port)
    const ended = listener.ended()
    const began = performance.now()
    await own.close()
    await ended
    expect(performance.now() - began).toBeLessThan(900)
  })
})

describe('who comes back', () => {
  test('is told what happened meanwhile, once, then what happens', async () => {
    const { port, memory } = await service(kept('again'))
    const cache = memory.cache<number>('tenant')
    const first = await reader(port, '?type=added,evicted')
    for (let index = 0; index < 15; index++) cache.set(`k${index}`, index)
    await first.count(20)
    const last = first.events[11]
    first.close()
    for (let index = 15; index < 25; index++) cache.set(`k${index}`, index)
    const second = await reader(port, '?type=added,evicted', { 'last-event-id': String(last?.id) })
    for (let index = 25; index < 30; index++) cache.set(`k${index}`, index)
    const whole = await reader(port, `?type=added,evicted&after=${memory.runId}:1`)
    const isLast = (events: readonly Told[]) =>
      events.some(({ event, data }) => event === 'added' && data.key === 'k29')
    const told = own(await second.until(isLast))
    const all = own(await whole.until(isLast))
    expect(all).toHaveLength(50)
    expect(new Set(all.map(({ id }) => id)).size).toBe(50)
    const from = all.findIndex(({ id }) => id === last?.id) + 1
    expect(told.map(({ id }) => id)).toEqual(all.slice(from).map(({ id }) => id))
    expect(second.events.find(({ event }) => event === 'stream-resumed')).toMatchObject({
      id: null,
      data: { after: last?.id },
    })
    // The log's rows are told as the events were.
    const ofLog = all.find(({ id }) => id === last?.id)
    expect(ofLog?.data).toEqual(last?.data)
  })

  test('is told everything across restarts of the service', async () => {
    const told: string[] = []
    let last: string | null = null
    for (let run = 0; run < 3; run++) {
      const made = await testService(kept('restarts'))
      const listener = await EventReader.open(
        made.port,
        '?type=added,evicted,stopped,started',
        last === null ? {} : { 'last-event-id': last },
      )
      for (let index = 0; index < 30; index++) made.memory.cache<number>('tenant').set(`run ${run} key ${index}`, index)
      await listener.until((events) =>
        events.some(({ event, data }) => event === 'added' && data.key === `run ${run} key 29`),
      )
      // What happens after the client has gone, it is told by the next run.
      const gone = new Promise((resolve) => listener.response.once('close', resolve))
      listener.close()
      await gone
      told.push(...own(listener.events).map(({ id, event, data }) => `${String(id)} ${event} ${String(data.key)}`))
      last = own(listener.events).at(-1)?.id ?? null
      for (let index = 30; index < 40; index++)
        made.memory.cache<number>('tenant').set(`run ${run} key ${index}`, index)
      await made.close()
    }
    const added = told.filter((line) => line.includes(' added ')).map((line) => line.split(' added ')[1])
    const expected = [0, 1, 2].flatMap((run) =>
      Array.from({ length: run === 2 ? 30 : 40 }, (_, index) => `run ${run} key ${index}`),
    )
    expect(added).toEqual(expected)
    expect(new Set(told).size).toBe(told.length)
    expect(told.filter((line) => line.includes(' stopped '))).toHaveLength(2)
    expect(told.filter((line) => line.includes(' started '))).toHaveLength(2)
  })

  test('while a lot happens, misses nothing and is told nothing twice', async () => {
    const { port, memory } = await service({ ...kept('busy') })
    const cache = memory.cache<number>('tenant')
    let written = 0
    const burst = (count: number) => {
      for (const end = written + count; written < end; written++) cache.set(`k${written}`, written)
    }
    burst(5_000)
    const listener = await reader(port, `?type=added&after=${memory.runId}:1`)
    // More than is kept for one that is still reading the log.
    while (!listener.events.some(({ event }) => event === 'stream-resumed')) {
      if (written < 60_000) burst(2_000)
      await new Promise((resolve) => setImmediate(resolve))
    }
    burst(10)
    const events = own(await listener.until((all) => all.at(-1)?.data.key === `k${written - 1}`))
    expect(keys(events)).toEqual(Array.from({ length: written }, (_, index) => `k${index}`))
  })

  test('is told so where nobody knows what it missed', async () => {
    const without = await service()
    const lost = await reader(without.port, '', { 'last-event-id': `${without.memory.runId}:3` })
    expect((await lost.count(1))[0]).toMatchObject({
      event: 'stream-missed',
      data: { reason: expect.stringContaining('no audit log') },
    })
    const { port, memory } = await service(kept('unknown'))
    const stranger = await reader(port, '?type=added', { 'last-event-id': 'somebody:7' })
    expect((await stranger.count(1))[0]).toMatchObject({ event: 'stream-missed', data: { after: 'somebody:7' } })
    memory.cache('tenant').set('k', 1)
    expect((await stranger.count(2))[1]).toMatchObject({ event: 'added', data: { key: 'k' } })
  })

  test('of a log with hashed keys and of one without, no key leaves', async () => {
    const { memory: options } = kept('hashed')
    const before = await testService({ memory: options })
    before.memory.cache('tenant').set('user:alice', 1)
    const { runId } = before.memory
    await before.close()
    const { port, memory } = await service({
      memory: { ...options, redactKeys: true, redactSecret: 'a secret of twenty…' },
    })
    memory.cache('tenant').set('user:alice', 1)
    const listener = await reader(port, `?type=added&after=${runId}:1`)
    const [plain, hashed] = await listener.count(2)
    expect(plain?.data.key).toMatch(/^user:~/)
    expect(hashed?.data.key).toBe(plain?.data.key)
  })
})

test('a client that does not read is bounded, and told what it missed', async () => {
  const { port, memory } = await service()
  const slow = await EventReader.open(port, '?type=added')
  closing.push(() => slow.close())
  slow.response.pause()
  const cache = memory.cache<number>('tenant')
  const key = 'k'.repeat(2000)
  let written = 0
  while (written < 30_000) {
    for (let index = 0; index < 500; index++) cache.set(`${key}${written++}`, 1)
    await new Promise((resolve) => setImmediate(resolve))
  }
  slow.response.resume()
  await slow.until((events) => events.some(({ event }) => event === 'stream-missed'))
  cache.set('after', 1)
  const told = await slow.until((events) => events.at(-1)?.data.key === 'after')
  const missed = told.filter(({ event }) => event === 'stream-missed')
  const count = missed.reduce((sum, { data }) => sum + Number(data.count), 0)
  expect(own(told).length + count).toBe(written + 1)
  // What waited is a megabyte, and what the operating system holds for both ends: of 60 MB the smaller part.
  expect(count).toBeGreaterThan(written / 2)
  const seqOf = (id: unknown) => Number(String(id).split(':')[1])
  for (const note of missed) {
    const place = told.indexOf(note)
    const before = own(told.slice(0, place)).at(-1)
    const next = own(told.slice(place)).at(0)
    expect(note.id).toBeNull()
    expect(seqOf(before?.id)).toBeLessThan(seqOf(note.data.first))
    expect(seqOf(note.data.last)).toBeLessThan(seqOf(next?.id))
  }
})
