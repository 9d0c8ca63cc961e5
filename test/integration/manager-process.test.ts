import { describe, expect, test } from 'vitest'
import { runScript } from '../support/script.ts'

/** The script came to its end by itself, said this, and nothing was thrown. */
async function expectEnd(source: string, out: string): Promise<void> {
  expect(await runScript(source)).toEqual({ code: 0, signal: null, out, err: '' })
}

const busy = `
  const memory = new muninn.MemoryManager({ maxMemory: 10_000, maxItems: Infinity, checkInterval: 60_000 })
  const cache = memory.cache('c')
  cache.set('short', 1, { ttl: 3_600_000, size: 1 })
  for (let i = 0; i < 9_000; i++) cache.set('k' + i, i, { size: 1 })
`

describe('a process with a cache in it', () => {
  test('ends by itself, though checks, expiries and a cycle are outstanding, and without close()', () =>
    expectEnd(`${busy} process.stdout.write(String(memory.stats().evictionCount))`, '1'))

  test('ends by itself though a load never settles', () =>
    expectEnd(`${busy} cache.getOrLoad('x', () => new Promise(() => {}))`, ''))

  // It ended with code 13 and no answer: the timers of timeouts kept nothing alive.
  test('gets its answer when a load with a timeout is all that is left, of one that started it and of one that joined', () =>
    expectEnd(
      `
      const cache = new muninn.MemoryManager().cache('c')
      const never = () => new Promise(() => {})
      const joined = [cache.getOrLoad('x', never), cache.getOrLoad('x', never, { timeout: 20 })]
      const own = cache.getOrLoad('y', never, { timeout: 20 })
      for (const answer of [joined[1], own]) await answer.catch(({ code }) => process.stdout.write(code + ' '))
      `,
      'ERR_MUNINN_LOAD_TIMEOUT ERR_MUNINN_LOAD_TIMEOUT ',
    ))

  test('ends by itself before a timeout that nobody waits for any more, and before any after close()', () =>
    expectEnd(
      `
      const memory = new muninn.MemoryManager()
      const cache = memory.cache('c')
      const never = () => new Promise(() => {})
      const gone = new AbortController()
      cache.getOrLoad('x', never, { timeout: '1h', signal: gone.signal }).catch(() => {})
      gone.abort()
      cache.getOrLoad('y', never, { timeout: '1h' })
      await memory.close()
      `,
      '',
    ))

  test('ends by itself after close(), however often that is called', () =>
    expectEnd(`${busy} await Promise.all([memory.close(), memory.close()]); process.stdout.write('closed')`, 'closed'))

  test('survives whatever its observers throw, now and later', () =>
    expectEnd(
      `
      const fail = () => { throw new Error('an observer failed') }
      const rxjs = await import(import.meta.resolve('rxjs', ${JSON.stringify(new URL('../../', import.meta.url).href)}))
      const memory = new muninn.MemoryManager()
      memory.on('added', fail)
      memory.events$.subscribe(fail)
      memory.events$.subscribe({ next: fail, complete: fail })
      memory.events$.pipe(rxjs.filter(() => true), rxjs.map(String)).subscribe(fail)
      memory.events$.pipe(rxjs.map(fail)).subscribe()
      memory.events$.pipe(rxjs.tap({ complete: fail })).subscribe()
      memory.events$.pipe(rxjs.finalize(fail)).subscribe()
      const cache = memory.cache('c')
      cache.set('a', 1)
      await new Promise((resolve) => setTimeout(resolve, 20))
      process.stdout.write(cache.get('a') + ' ' + (memory.stats().observerErrors >= 5))
      await memory.close()
      await new Promise((resolve) => setTimeout(resolve, 20))
      `,
      '1 true',
    ))
})

describe("import 'muninn-cache'", () => {
  test('loads nothing that is optional, and neither does using a cache', async () => {
    const { code, out } = await runScript(`
      import { createRequire } from 'node:module'
      const memory = new muninn.MemoryManager()
      memory.cache('c').set('a', 1)
      memory.check()
      await memory.close()
      const modules = Object.keys(createRequire(import.meta.url).cache)
      const active = process.report.getReport().sharedObjects.filter((path) => path.endsWith('.node'))
      process.stdout.write(JSON.stringify({ modules, active }))
    `)
    expect(code).toBe(0)
    const { modules, active } = JSON.parse(out) as { modules: string[]; active: string[] }
    const optional = /node_modules\/(better-sqlite3|fastify|kysely|commander|pino|typebox|light-my-request)\//
    expect(modules.filter((path) => optional.test(path))).toEqual([])
    expect(active).toEqual([])
  })
})
