import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { OptionError, TraceError } from '../../src/base/errors.ts'
import { POLICIES } from '../../src/base/settings.ts'
import { type ReplayOptions, type ReplayResult, replay, replayAll } from '../../src/replay/replay.ts'

const folder = mkdtempSync(join(tmpdir(), 'muninn-replay-'))
afterAll(() => rmSync(folder, { recursive: true }))

function written(name: string, text: string): string {
  const file = join(folder, name)
  writeFileSync(file, text)
  return file
}

const untimed = ({ seconds: _, ...result }: ReplayResult) => result

describe('a replay', () => {
  it('gets each key, and on a miss sets it', async () => {
    const result = await replay(written('abc.txt', 'a\nb\na\nc\nb\na\n'), { maxItems: 2, policy: 'lru' })
    // a and b stored, a hit; c displaces b; b displaces a; a displaces c.
    expect(untimed(result)).toEqual({
      trace: join(folder, 'abc.txt'),
      policy: 'lru',
      max_items: 2,
      max_memory_bytes: null,
      eviction_threshold: 1,
      seed: 1,
      requests: 6,
      hits: 1,
      misses: 5,
      hit_ratio: 1 / 6,
      byte_hit_ratio: 1 / 6,
      evictions: 3,
      expirations: 0,
      rejections: 0,
    })
    expect(result.seconds).toBeGreaterThan(0)
  })

  it('charges exactly the size that was stored, and weighs each request by its own', async () => {
    // The hit on a says 90, but a stays charged with 50, so that b still fits beside it.
    const result = await replay(written('sizes.txt', 'a,50\na,90\nb,50\na,10\nb,50\n'), {
      maxMemory: 100,
      policy: 'lru',
    })
    expect(result).toMatchObject({
      hits: 3,
      misses: 2,
      evictions: 0,
      hit_ratio: 0.6,
      byte_hit_ratio: 150 / 250,
      max_memory_bytes: 100,
    })
  })

  it('uses the whole capacity, and refuses what is larger', async () => {
    const result = await replay([{ key: 'a', size: 100 }, { key: 'a' }, { key: 'b', size: 101 }, { key: 'a' }], {
      maxMemory: 100,
      policy: 'lru',
    })
    expect(result).toMatchObject({ hits: 2, rejections: 1, evictions: 0 })
  })

  it('takes a millisecond for each request', async () => {
    const result = await replay(written('ttl.txt', 'a,1,2\na\na\na\n'), { maxItems: 2 })
    // Stored at 0 and past its time at 2, where it is stored for good.
    expect(result).toMatchObject({ hits: 2, misses: 2, expirations: 1, evictions: 0 })
  })

  it('takes requests from a program, one by one', async () => {
    async function* requests() {
      yield { key: 'a' }
      yield { key: 'a', size: 3, ttl: 5 }
    }
    expect(await replay(requests(), { maxItems: 1 })).toMatchObject({
      trace: null,
      hits: 1,
      byte_hit_ratio: 3 / 4,
      policy: 'hybrid',
    })
    await expect(replay([{ key: 'a', size: -1 }], { maxItems: 1 })).rejects.toThrow(OptionError)
  })

  it('has no ratios where there is nothing to weigh', async () => {
    expect(await replay([], { maxItems: 1 })).toMatchObject({ requests: 0, hit_ratio: null, byte_hit_ratio: null })
    expect(await replay([{ key: 'a', size: 0 }], { maxItems: 1 })).toMatchObject({ hit_ratio: 0, byte_hit_ratio: null })
  })

  it('starts no cycle, unless asked for, and is the same each time', async () => {
    const loop = Array.from({ length: 50_000 }, (_, i) => ({ key: String(i % 1000), size: 10 }))
    const without = await replay(loop, { maxMemory: 10_000, policy: 'lru' })
    expect(without).toMatchObject({ hits: 49_000, evictions: 0 })
    const options: ReplayOptions = { maxMemory: 10_000, policy: 'hybrid', evictionThreshold: 0.9 }
    const [once, again] = [await replay(loop, options), await replay(loop, options)]
    expect(once.evictions).toBeGreaterThan(0)
    expect(untimed(once)).toEqual(untimed(again))
  })

  it('runs several policies and limits in one reading', async () => {
    const trace = Array.from({ length: 40_000 }, (_, i) => ({ key: String((i * i) % 977), size: 1 + (i % 7) }))
    const runs = POLICIES.flatMap((policy) => [
      { policy, maxItems: 100 },
      { policy, maxMemory: 300 },
    ])
    const seen: number[] = []
    const together = await replayAll(trace, runs, { onProgress: (requests) => seen.push(requests) })
    expect(seen).toEqual([16_384, 32_768, 40_000])
    for (const [i, run] of runs.entries())
      expect(untimed(await replay(trace, run))).toEqual(untimed(together[i] as ReplayResult))
  })

  it.each<[string, ReplayOptions]>([
    ['no limit', {}],
    ['a limit that is none', { maxItems: 0 }],
    ['an unknown policy', { maxItems: 1, policy: 'mru' as 'lru' }],
    ['a threshold beyond all', { maxItems: 1, evictionThreshold: 2 }],
    ['a size that is none', { maxMemory: 'lots' }],
  ])('refuses %s', async (_, options) => {
    await expect(replay([], options)).rejects.toThrow(OptionError)
  })

  it('names the malformed line', async () => {
    await expect(replay(written('bad.txt', 'a\nb,1\nc,x\n'), { maxItems: 1 })).rejects.toThrow(TraceError)
    await expect(replay(join(folder, 'bad.txt'), { maxItems: 1 })).rejects.toThrow('bad.txt, line 3: "x" is not a size')
  })

  it('ends when it is told to', async () => {
    const reason = new Error('enough')
    const endless = (function* () {
      for (let i = 0; ; i++) yield { key: String(i) }
    })()
    const abort = new AbortController()
    const running = replay(endless, { maxItems: 10, signal: abort.signal, onProgress: () => abort.abort(reason) })
    await expect(running).rejects.toBe(reason)
  })
})

const TRACES = fileURLToPath(new URL('../../../shared/traces/', import.meta.url))
const anchored = existsSync(join(TRACES, 'anchors.tsv'))
if (!anchored)
  process.stderr.write(`replay: no ${TRACES}anchors.tsv here, so no hit ratio is compared with other implementations\n`)

/** Policies whose order leaves no choice, so that every right implementation has the same hit ratio. */
const EXACT = ['lru', 'lfu'] as const

interface Anchor {
  readonly trace: string
  readonly unit: string
  readonly capacity: string
  readonly lru: string
  readonly lfu: string
}

/** Rows of `anchors.tsv` by trace: what other implementations reach. */
function anchors(): Map<string, Anchor[]> {
  const [head = '', ...lines] = readFileSync(join(TRACES, 'anchors.tsv'), 'utf8').trim().split('\n')
  const titles = head.split('\t')
  const rows = lines.map((line) => Object.fromEntries(line.split('\t').map((text, i) => [titles[i], text])) as Anchor)
  const traces = new Map<string, Anchor[]>()
  for (const row of rows) traces.set(row.trace, [...(traces.get(row.trace) ?? []), row])
  return traces
}

describe.runIf(anchored)('on traces of real systems, to four decimals what everybody’s is', () => {
  it.each(anchored ? [...anchors()] : [])('%s', async (trace, rows) => {
    // The trace of five million requests takes lfu half a minute.
    const policies = EXACT.filter(
      (policy) => policy === 'lru' || trace !== 'orm-busy' || process.env.MUNINN_NIGHT === '1',
    )
    const runs = rows.flatMap(({ unit, capacity }) =>
      policies.map(
        (policy): ReplayOptions => ({
          policy,
          ...(unit === 'items' ? { maxItems: Number(capacity) } : { maxMemory: Number(capacity) }),
        }),
      ),
    )
    const results = await replayAll(join(TRACES, `${trace}.txt.gz`), runs)
    expect(results.map((result) => result.hit_ratio?.toFixed(4))).toEqual(
      rows.flatMap((row) => policies.map((policy) => row[policy])),
    )
  })
})

const MAIN = fileURLToPath(new URL('../../dist/serve/cli/main.js', import.meta.url))

/** `muninn replay`, as built. */
function muninn(args: readonly string[], input?: string): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [MAIN, 'replay', ...args], (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr })
    })
    child.stdin?.end(input)
  })
}

describe('muninn replay', () => {
  const trace = written('cli.txt', 'a,10\nb,20\na,10\nc,30\n')

  it('prints one object for one run', async () => {
    const { code, stdout } = await muninn([trace, '--policy', 'lru', '--max-items', '2', '--json'])
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      policy: 'lru',
      requests: 4,
      hits: 1,
      misses: 3,
      hit_ratio: 0.25,
      evictions: 1,
    })
  })

  it.each([
    [[trace, '--policy', 'lru', '--policy', 'lfu', '--max-items', '2']],
    [[trace, '--policy', 'lru,lfu', '--max-items', '2']],
    [[trace, '--policy', 'lru', 'lfu', '--max-items', '2']],
    [['--max-items', '2', '--policy', 'lru', 'lfu', trace]],
  ])('prints items for several policies: %j', async (args) => {
    const { stdout } = await muninn([...args, '--json'])
    expect(JSON.parse(stdout).items.map(({ policy }: ReplayResult) => policy)).toEqual(['lru', 'lfu'])
  })

  it('prints items for several limits, each under each policy', async () => {
    const { stdout } = await muninn([trace, '--max-memory', '20', '64KB', '--policy', 'lru', 'size', '--json'])
    const items: ReplayResult[] = JSON.parse(stdout).items
    expect(items.map((item) => [item.policy, item.max_memory_bytes])).toEqual([
      ['lru', 20],
      ['lru', 65_536],
      ['size', 20],
      ['size', 65_536],
    ])
  })

  it('prints a table, in 80 columns', async () => {
    const { stdout } = await muninn([trace, '--max-items', '2', '1000000', '--max-memory', '1GB'])
    expect(stdout).toContain('4 requests')
    expect(
      stdout
        .split('\n')
        .slice(1)
        .every((line) => line.length <= 80),
    ).toBe(true)
  })

  it('reads standard input', async () => {
    const { stdout } = await muninn(['-', '--max-items', '5', '--json'], 'x\nx\n')
    expect(JSON.parse(stdout)).toMatchObject({ trace: '-', requests: 2, hits: 1 })
  })

  it.each([
    ['no limit', [trace], '--max-items'],
    ['no trace', ['--max-items', '5'], 'which trace'],
    ['an unknown policy', [trace, '--policy', 'mru', '--max-items', '5'], '--policy mru: give one of lru'],
    ['a limit of nothing', [trace, '--max-items', '0'], '--max-items 0: give an integer'],
    ['a threshold beyond all', [trace, '--max-items', '5', '--eviction-threshold', '1.5'], 'share above 0'],
    ['one log for several runs', [trace, '--max-items', '5', '6', '--db', join(folder, 'no.db')], '--db takes one run'],
    ['an unknown option', [trace, '--max-items', '5', '--speed'], '--speed'],
  ])('exits with 2 for %s', async (_, args, message) => {
    const { code, stderr, stdout } = await muninn(args)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain(message)
  })

  it('exits with 3 for a trace that is malformed or not there', async () => {
    const malformed = await muninn(['-', '--max-items', '5'], 'a\nb\n\n')
    expect(malformed).toEqual({ code: 3, stdout: '', stderr: 'muninn: standard input, line 3: the line is empty\n' })
    expect(await muninn([join(folder, 'nowhere'), '--max-items', '5'])).toMatchObject({ code: 3, stdout: '' })
  })

  it('writes an audit log where asked for', async () => {
    const db = join(folder, 'replay.db')
    expect((await muninn([trace, '--max-items', '2', '--policy', 'lru', '--db', db])).code).toBe(0)
    expect(existsSync(db)).toBe(true)
  })
})
