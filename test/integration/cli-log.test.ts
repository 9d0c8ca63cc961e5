import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { muninn, serve } from './cli-support.ts'
import { ask } from './http-support.ts'

let folder: string
let db: string
let first: string
let second: string
const json = async (...args: string[]) =>
  JSON.parse((await muninn([...args, '--db', db, '--json'])).out) as {
    items: Record<string, unknown>[]
    next: string | null
    incomplete: string | null
  } & Record<string, unknown>
const put = (port: number, key: string) =>
  ask(port, { method: 'PUT', path: `/api/cache/tenant/items/${encodeURIComponent(key)}`, body: 'value' })

/** Two runs on one log: the first closed properly, the second killed. */
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'muninn-log-'))
  db = join(folder, 'audit.db')
  const closed = await serve(['--db', db, '--max-items', '5', '--policy', 'lru'])
  for (let index = 0; index < 12; index++) await put(closed.port, `user:${index}`)
  await ask(closed.port, { path: '/api/cache/tenant/items/user%3A0' })
  first = closed.announced.run
  await closed.end('SIGTERM')

  const killed = await serve(['--db', db, '--max-items', '5', '--policy', 'lru'])
  second = killed.announced.run
  for (let index = 0; index < 8; index++) await put(killed.port, `job:\u001b[2J${index}`)
  await ask(killed.port, {
    method: 'POST',
    path: '/api/cache/memory/evict',
    headers: { 'content-type': 'application/json' },
    body: '{"target":0}',
  })
  const written = async () =>
    ((await ask(killed.port, { path: '/api/cache/memory' })).json().audit as { pending_events: number }).pending_events
  while ((await written()) > 0) await new Promise(setImmediate)

  // While it runs, over HTTP: the run before is there, too.
  const live = (await ask(killed.port, { path: '/api/audit/evictions?cache=tenant&prefix=user:&limit=3' })).json()
  expect(live).toMatchObject({ items: [{ cache: 'tenant' }, {}, {}], next: expect.any(String) })
  expect((await ask(killed.port, { path: '/api/audit/explain?key=user:0' })).json()).toMatchObject({
    verdict: 'evicted',
  })
  const runs = (await ask(killed.port, { path: '/api/audit/runs' })).json()
  expect((runs.items as { state: string }[]).map((run) => run.state).sort()).toEqual(['closed', 'running'])
  const history = (await ask(killed.port, { path: '/api/cache/memory/history?since=-1h' })).json()
  expect(history).toMatchObject({
    samples: expect.any(Array),
    peaks: expect.any(Array),
    since: expect.stringMatching(/Z$/),
  })
  await killed.end('SIGKILL')
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('after a restart and a kill', () => {
  test('explain says what became of a key, and why', async () => {
    const answer = await json('explain', 'user:0')
    expect(answer).toMatchObject({ key: 'user:0', verdict: 'evicted', next: null })
    expect(answer.summary).not.toHaveLength(0)
    expect(answer.items.some((event) => event.type === 'evicted' && event.cache === 'tenant')).toBe(true)
    const text = await muninn(['explain', 'user:0', '--db', db])
    expect(text).toMatchObject({ code: 0, err: '' })
    expect(text.out).toContain('evicted')
    expect(await json('explain', 'nobody')).toMatchObject({ verdict: 'no record', items: [] })
  })

  test('evictions, by every question', async () => {
    const all = await json('evictions')
    // 12 and 8 stores into room for 5, then the rest by force.
    expect(all.items).toHaveLength(7 + 3 + 5)
    expect(all.items[0]).toMatchObject({
      run: expect.any(String),
      seq: expect.any(Number),
      at: expect.stringMatching(/Z$/),
      cache: 'tenant',
      cause: expect.any(String),
      policy: 'lru',
      ttlLeft: null,
    })
    expect((await json('evictions', '--run', first)).items).toHaveLength(7)
    expect((await json('evictions', '--cause', 'forced')).items).toHaveLength(5)
    expect((await json('evictions', '--prefix', 'user:')).items).toHaveLength(7)
    expect((await json('evictions', '--key', 'user:0')).items).toHaveLength(1)
    expect((await json('evictions', '--cache', 'mimir')).items).toHaveLength(0)
    expect((await json('evictions', '--since', '-1h')).items).toHaveLength(15)
    expect((await json('evictions', '--until', '-1h')).items).toHaveLength(0)
    const page = await json('evictions', '--limit', '10')
    expect((await json('evictions', '--limit', '10', '--cursor', String(page.next))).items).toHaveLength(5)
  })

  test('runs tell how they ended', async () => {
    const { items } = await json('runs')
    expect(items.find((run) => run.run === first)).toMatchObject({
      state: 'closed',
      evictedItems: 7,
      settings: { maxItems: 5 },
    })
    expect(items.find((run) => run.run === second)).toMatchObject({ state: 'crashed' })
  })

  test('cycles, peaks and warnings are lists', async () => {
    expect((await json('cycles')).items).toMatchObject([{ trigger: 'forced', count: 5 }])
    expect((await json('peaks')).items.length).toBeGreaterThan(0)
    expect(await json('warnings')).toMatchObject({ items: [], next: null })
  })

  test('tables are plain text, whatever the keys are', async () => {
    for (const command of ['evictions', 'runs', 'peaks', 'cycles', 'warnings']) {
      const { code, out, err } = await muninn([command, '--db', db])
      expect([command, code, err]).toEqual([command, 0, ''])
      expect(out).not.toContain('\u001b')
      expect(out.trim()).not.toBe('')
    }
    expect((await muninn(['evictions', '--prefix', 'job:', '--db', db])).out).toContain('job:\\x1b[2J0')
  })

  test('crash tells of the run that was killed, and of no other', async () => {
    const report = await json('crash')
    expect(report).toMatchObject({ items: expect.any(Array), next: null, incomplete: expect.any(String) })
    expect(report).toMatchObject({
      run: { run: second, state: 'crashed' },
      verdict: 'killed',
      gap: { at: expect.stringMatching(/Z$/) },
      lastEvictions: expect.any(Array),
    })
    const text = await muninn(['crash', '--db', db], { COLUMNS: '80' })
    expect(text).toMatchObject({ code: 0, err: '' })
    expect(text.out).toContain(`Run ${second}`)
    expect((await json('crash', '--run', first)).verdict).toBe('no crash')
  })

  test('regrets, top, timeline, compare and doctor answer as documents, and as text of 80 columns', async () => {
    expect((await json('regrets')).items).toMatchObject([{ cache: 'tenant', prefix: 'user', evicted: 7, regretted: 1 }])
    expect((await json('top', '--of', 'key', '--by', 'regrets')).items).toMatchObject([
      { name: 'user:0', regretted: 1 },
    ])
    expect((await json('top')).items.map(({ name, evicted }) => [name, evicted])).toEqual([
      ['job', 8],
      ['user', 7],
    ])
    const points = (await json('timeline', '--every', '1h')).items
    expect(points.reduce((sum, { evicted }) => sum + Number(evicted), 0)).toBe(15)
    expect(points.reduce((sum, { crashes }) => sum + Number(crashes), 0)).toBe(1)
    expect((await json('compare', '-1h..now', '-1h..now')).items).toEqual([])
    expect((await json('compare', '-2h..-1h', '-1h..now')).items).not.toEqual([])
    expect(await json('doctor')).toMatchObject({ items: [], looked: expect.any(Array), next: null })
    const commands = [['regrets'], ['top'], ['timeline'], ['timeline', '--rows'], ['compare', '-2h..-1h', '-1h..now']]
    for (const command of [...commands, ['doctor'], ['evictions'], ['peaks'], ['runs'], ['explain', 'user:0']]) {
      const { code, out, err } = await muninn([...command, '--db', db], { COLUMNS: '80' })
      expect([command, code, err]).toEqual([command, 0, ''])
      expect(out).not.toContain('\u001b')
      const lines = out.split('\n').filter((line) => !line.includes('--cursor'))
      for (const line of lines) expect([...line].length).toBeLessThanOrEqual(80)
    }
  })

  test('an answer that is empty says what was looked for, and where', async () => {
    const { out } = await muninn(['evictions', '--cache', 'mimir', '--policy', 'lfu', '--db', db])
    expect(out.split('\n')[0]).toBe(`no evictions with cache mimir, policy lfu in ${db}`)
    expect((await muninn(['doctor', '--db', db])).out).toContain('Nothing found.')
  })

  test('MUNINN_DB names the log where no flag does', async () => {
    expect((await muninn(['runs', '--json'], { MUNINN_DB: db })).code).toBe(0)
  })
})

describe('exit codes', () => {
  test('2 for a call that is wrong', async () => {
    const wrong = [
      [],
      ['nothing'],
      ['evictions', '--since', 'yesterday'],
      ['evictions', '--cause', 'bad'],
      ['evictions', '--limit', '0'],
      ['explain'],
      ['explain', 'a', 'b'],
      ['runs', '--bogus'],
      ['evictions', '--cursor', 'bad'],
      ['compare', '-2h..-1h'],
      ['compare', '-1h..-2h', '-1h..now'],
      ['timeline', '--every', '1s'],
      ['top', '--of', 'values'],
      ['crash', '--window', 'long'],
      ['export', '--json', '--format', 'csv'],
    ]
    for (const args of wrong) {
      const run = await muninn([...args, ...(args.length > 1 ? ['--db', db] : [])], {}, folder)
      expect([args, run.code, run.out]).toEqual([args, 2, ''])
      expect(run.err).not.toMatch(/\n {4}at /)
    }
  })

  test('says what is wrong in the words of the caller', async () => {
    const window = await muninn(['compare', '-1h..-2h', '-1h..now', '--db', db])
    expect(window.err).toContain("value '-1h..-2h' is invalid for argument 'before'")
    const without = await muninn(['compare', '2001-01-01..2001-01-02', '2002-01-01..2002-01-02', '--db', db])
    expect(without.out).toMatch(/\nNothing to compare, by the counts in .+: no run of the log lived between .+\.\n$/)
    const inFolder = await muninn(['runs', '--db', folder])
    expect(inFolder.err).toBe(`muninn: ${folder}: it is a folder: give the path of a file in it\n`)
    const both = await muninn(['export', '--json', '--format', 'csv', '--db', db])
    expect(both.err).toBe('muninn: --json is one JSON document: it does not go with --format csv\n')
  })

  test('3 for a log that can not be read, and none is made', async () => {
    const noDatabase = join(folder, 'text.db')
    writeFileSync(noDatabase, 'this is not a database, and has been one never, whatever its name says'.repeat(20))
    for (const path of [join(folder, 'missing.db'), noDatabase, folder]) {
      const run = await muninn(['runs', '--db', path])
      expect([path, run.code, run.out]).toEqual([path, 3, ''])
      expect(run.err).toMatch(/^muninn: .+\n$/)
    }
    expect((await muninn(['runs', '--db', join(folder, 'missing.db')])).code).toBe(3)
  })

  test('0 for help and version', async () => {
    const help = await muninn(['--help'])
    expect(help.code).toBe(0)
    for (const command of ['serve', 'replay', 'evictions', 'explain', 'runs', 'peaks'])
      expect(help.out).toContain(`  ${command} `)
    expect(await muninn(['evictions', '--help'])).toMatchObject({ code: 0, err: '' })
    expect((await muninn(['--version'])).out).toMatch(/^\d+\.\d+\.\d+\n$/)
  })
})
