import { request } from 'node:http'
import { pino } from 'pino'
import { afterEach } from 'vitest'
import type { MemoryManagerOptions } from '../../src/base/options.ts'
import { MemoryManager } from '../../src/muninn.ts'
import { type Patience, startService } from '../../src/serve/http/server.ts'
import { parseTokens } from '../../src/serve/http/tokens.ts'

export interface TestService {
  readonly url: string
  readonly port: number
  readonly memory: MemoryManager
  close(): Promise<void>
}

export interface TestOptions {
  host?: string
  token?: string
  allowedHosts?: readonly string[]
  requireAudit?: boolean
  memory?: MemoryManagerOptions
  patience?: Patience
  /** Where log lines go; nowhere without. */
  log?: (line: string) => void
}

/** A service that really listens, on a free port. */
export async function testService(options: TestOptions = {}): Promise<TestService> {
  const memory = new MemoryManager({
    caches: { tenant: { maxItems: 500 }, mimir: { maxItems: 500 } },
    maxMemory: '64MB',
    checkInterval: 0,
    ...options.memory,
  })
  for (const name of ['general', 'tenant', 'mimir']) memory.cache(name)
  const service = await startService({
    memory,
    host: options.host ?? '127.0.0.1',
    port: 0,
    tokens: options.token === undefined ? [] : parseTokens(options.token),
    allowedHosts: options.allowedHosts ?? null,
    requireAudit: options.requireAudit ?? false,
    logger: options.log === undefined ? pino({ level: 'silent' }) : pino({ level: 'trace' }, { write: options.log }),
    ...(options.patience === undefined ? {} : { patience: options.patience }),
  })
  const port = Number(new URL(service.url).port)
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    memory,
    close: async () => {
      await service.close(1000)
      await memory.close()
    },
  }
}

/** What a test of the file opens, a service above all, is closed after it, the last first. */
export function closedAfterEach(): {
  readonly closing: (() => unknown)[]
  service(options?: TestOptions): Promise<TestService>
} {
  const closing: (() => unknown)[] = []
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close()
  })
  const service = async (options: TestOptions = {}) => {
    const made = await testService(options)
    closing.push(() => made.close())
    return made
  }
  return { closing, service }
}

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Buffer
  json(): Record<string, unknown>
}

export interface Asked {
  readonly method?: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
}

/** A request whose every header is the caller's own, `Host` and `Origin` included, as `fetch` allows none. */
export function ask(port: number, { method = 'GET', path, headers = {}, body }: Asked): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, method, path, headers, agent: false }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const bytes = Buffer.concat(chunks)
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: bytes,
          json: () => JSON.parse(bytes.toString()) as Record<string, unknown>,
        })
      })
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

export const JSON_TYPE = { 'content-type': 'application/json' }
