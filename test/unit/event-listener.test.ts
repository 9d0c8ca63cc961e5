import type { ServerResponse } from 'node:http'
import { PassThrough } from 'node:stream'
import { afterEach, expect, test, vi } from 'vitest'
import { HistoryError } from '../../src/base/errors.ts'
import { MemoryManager } from '../../src/muninn.ts'
import type { ExportedEvent, History } from '../../src/query/answers.ts'
import { EventHub } from '../../src/serve/http/event-hub.ts'
import { EventListener } from '../../src/serve/http/event-listener.ts'

afterEach(() => vi.useRealTimers())

/** A client that comes back to a cache, and what it is told of: what is `written` is what the log has. */
function returning() {
  const memory = new MemoryManager({ checkInterval: 0 })
  const cache = memory.cache('c')
  const hub = new EventHub(memory, (error) => expect.unreachable(String(error)))
  const run = memory.runId
  const written: ExportedEvent[] = []
  let incomplete: string | null = null
  const history = {
    runs: async () => ({ items: [{}] }),
    export: () => Object.assign(written.values(), { incomplete }),
  } as unknown as History
  const stream = new PassThrough()
  const everything = { types: null, cache: null, prefix: null }
  const listener = new EventListener(hub, everything, stream as unknown as ServerResponse, run)
  const start = (flush: () => Promise<void>) =>
    listener.start({ run, seq: 1 }, { history, run, flush, shown: async (event) => event })
  /** An event of that key, which the log gets when what is returned is called. */
  const happen = (key: string) => {
    const seen: ExportedEvent[] = []
    const unlisten = memory.on('added', (event) => seen.push({ ...event, run }))
    cache.set(key, 1)
    unlisten()
    return async () => {
      written.push(...seen)
    }
  }
  const told = () => {
    hub.deliver()
    return String(stream.read()).match(/^(event: stream-.*|data: .*("key":"\w+"|reason|incomplete).*)$/gm) ?? []
  }
  const behind = (note: string) => {
    incomplete = note
  }
  return { start, happen, told, behind, history }
}

const brief = (lines: readonly string[]) =>
  lines.flatMap((line) => /"key":"(\w+)"/.exec(line)?.[1] ?? /^event: (.*)$/.exec(line)?.[1] ?? [])

test('a log whose writer is behind is read when it has what happened: nothing is passed over in silence', async () => {
  const client = returning()
  const write = client.happen('late')
  await client.start(write)
  expect(brief(client.told())).toEqual(['late', 'stream-resumed'])
})

test('what the log has before its live event is passed on is told once', async () => {
  const client = returning()
  await client.start(() => client.happen('quick')())
  client.happen('next')
  expect(brief(client.told())).toEqual(['quick', 'stream-resumed', 'next'])
})

test('a log that cannot be read is said, and the live events come all the same', async () => {
  const client = returning()
  client.history.runs = async () => {
    client.happen('meanwhile')
    throw new HistoryError('no such file')
  }
  await client.start(async () => {})
  client.happen('next')
  const told = client.told()
  expect(brief(told)).toEqual(['stream-missed', 'meanwhile', 'next'])
  expect(told.join()).toContain('"reason":"no such file"')
})

test('a writer that never answers is waited for only so long', async () => {
  vi.useFakeTimers()
  const client = returning()
  client.behind('the writer does not answer')
  const started = client.start(() => new Promise(() => {}))
  await vi.advanceTimersByTimeAsync(15_000)
  await started
  client.happen('next')
  const told = client.told()
  expect(brief(told)).toEqual(['stream-resumed', 'next'])
  expect(told.join()).toContain('the writer does not answer')
})

test('where more happens than is kept, however often the log is read, what is let go of is said', async () => {
  vi.useFakeTimers()
  const client = returning()
  let reads = 0
  await client.start(async () => {
    reads++
    // Five megabytes, which the log does not get.
    for (let n = 0; n < 80; n++) client.happen(`${'x'.repeat(60_000)}${n}`)
  })
  client.happen('next')
  const told = client.told()
  expect(brief(told)).toEqual(['stream-resumed', 'stream-missed', 'next'])
  expect(told.join()).toContain('"count":80,')
  expect(reads).toBeGreaterThan(1)
})
