import type { ServerResponse } from 'node:http'
import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import type { History } from '../../src/query/answers.ts'
import type { EventHub } from '../../src/serve/http/event-hub.ts'
import { EventListener } from '../../src/serve/http/event-listener.ts'

test('a log whose writer is behind is read when it has what happened: nothing is passed over in silence', async () => {
  const written: { run: string; seq: number; at: number; type: string }[] = []
  const history = {
    runs: async () => ({ items: [{}] }),
    export: () => Object.assign(written.values(), { incomplete: null }),
  } as unknown as History
  const flush = async () => {
    written.push({ run: 'r', seq: 2, at: 0, type: 'added' })
  }
  const hub = { listen: () => () => {} } as unknown as EventHub
  const stream = new PassThrough()
  const everything = { types: null, cache: null, prefix: null }
  const listener = new EventListener(hub, everything, stream as unknown as ServerResponse, 'r')
  await listener.start({ run: 'r', seq: 1 }, { history, run: 'r', flush, shown: async (event) => event })
  expect(String(stream.read()).match(/^(id|event): .+$/gm)).toEqual([
    'id: r:2',
    'event: added',
    'event: stream-resumed',
  ])
})
