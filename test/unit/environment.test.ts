import { describe, expect, test } from 'vitest'
import { optionsFromEnv } from '../../src/base/environment.ts'
import { EnvironmentError } from '../../src/base/errors.ts'
import { unreadVariables } from '../../src/serve/cli/unread-variables.ts'
import { serviceFromEnv } from '../../src/serve/environment.ts'
import { findToken, parseTokens } from '../../src/serve/http/tokens.ts'

describe('optionsFromEnv', () => {
  test('with nothing set has nothing to say', () => {
    expect(optionsFromEnv({})).toEqual({})
    expect(
      optionsFromEnv({ PATH: '/bin', MUNINN_PORT: 'not its own', CACHE_DIR: '/tmp', CACHE_MAX_ITEMS: undefined }),
    ).toEqual({})
  })

  test('each variable makes its option', () => {
    const env = {
      CACHE_MEMORY_PERCENT: '12.5',
      CACHE_MAX_ITEMS: '2000',
      CACHE_TENANT_MAX_ITEMS: '10',
      CACHE_MIMIR_MAX_ITEMS: 'Infinity',
      CACHE_USER_SESSIONS_MAX_ITEMS: '30',
      CACHE_MEMORY_THRESHOLD: '.75'.replace('.', '0.'),
      CACHE_EVICTION_THRESHOLD: '1',
      CACHE_EVICTION_POLICY: 'lfu',
      MUNINN_MAX_MEMORY: '50%',
      MUNINN_CHECK_INTERVAL: '0',
      MUNINN_DB: 'x/y.db',
      MUNINN_AUDIT_LEVEL: 'all',
      MUNINN_AUDIT_MAX_AGE: '7d',
      MUNINN_AUDIT_MAX_SIZE: 'Infinity',
    }
    expect(optionsFromEnv(env)).toEqual({
      memoryPercent: 12.5,
      maxItems: 2000,
      caches: {
        tenant: { maxItems: 10 },
        mimir: { maxItems: Number.POSITIVE_INFINITY },
        user_sessions: { maxItems: 30 },
      },
      memoryThreshold: 0.75,
      evictionThreshold: 1,
      policy: 'lfu',
      maxMemory: '50%',
      checkInterval: '0',
      audit: {
        path: 'x/y.db',
        level: 'all',
        retention: { maxAge: '7d', maxSize: Number.POSITIVE_INFINITY },
      },
    })
    expect(optionsFromEnv({ MUNINN_DB: 'a.db' })).toEqual({ audit: 'a.db' })
  })

  const wrong: readonly [string, readonly string[]][] = [
    ['CACHE_MEMORY_PERCENT', ['', '0', '101', '-1', '25%', 'x', 'NaN']],
    ['CACHE_MAX_ITEMS', ['', '0', '-1', '1.5', '1e3', '0x10', ' 5', '5 ', 'infinity', '99999999999999999999']],
    ['CACHE_TENANT_MAX_ITEMS', ['', '0', 'all']],
    ['CACHE_OTHER_MAX_ITEMS', ['', '-3']],
    ['CACHE_MEMORY_THRESHOLD', ['', '0', '0.91', '80', '80%']],
    ['CACHE_EVICTION_THRESHOLD', ['', '0', '1.1', 'Infinity']],
    ['CACHE_EVICTION_POLICY', ['', 'LRU', 'fifo', 'toString']],
    ['MUNINN_MAX_MEMORY', ['', '0', '-5MB', '5 parsecs', '0%', '101%', 'Infinity']],
    ['MUNINN_CHECK_INTERVAL', ['', '-1', 'soon', '30d']],
    ['MUNINN_DB', ['']],
    ['MUNINN_AUDIT_LEVEL', ['', 'none', 'departures']],
    ['MUNINN_AUDIT_MAX_AGE', ['', '30', '0', '1s', '-1d', 'a month']],
    ['MUNINN_AUDIT_MAX_SIZE', ['', '5', '1KB', '-1MB', 'all']],
  ]
  for (const [variable, values] of wrong) {
    test(`${variable} that is wrong is an error with its name, its value and what is allowed`, () => {
      for (const value of values) {
        expect(() => optionsFromEnv({ [variable]: value }), JSON.stringify(value)).toThrow(EnvironmentError)
        expect(() => optionsFromEnv({ [variable]: value })).toThrow(
          `${variable}=${JSON.stringify(value)} is not allowed: `,
        )
      }
    })
  }
})

describe('serviceFromEnv', () => {
  test('has the defaults of the service', () => {
    expect(serviceFromEnv({})).toEqual({
      host: '127.0.0.1',
      port: 8080,
      tokens: [],
      allowedHosts: null,
      logLevel: 'info',
      requireAudit: false,
    })
  })

  test('reads what is set', () => {
    const env = {
      MUNINN_HOST: '::',
      MUNINN_PORT: '0',
      MUNINN_ALLOWED_HOSTS: 'A.example, [::1]:80',
      MUNINN_LOG_LEVEL: 'silent',
      MUNINN_REQUIRE_AUDIT: 'true',
    }
    expect(serviceFromEnv(env)).toMatchObject({
      host: '::',
      port: 0,
      allowedHosts: ['a.example', '[::1]:80'],
      logLevel: 'silent',
      requireAudit: true,
    })
  })

  test('never shows a secret', () => {
    const long = 'geheim-geheim-geheim'
    for (const value of [`a:b:${long}`, `${long},`, `x:admin:${long},y:admin:${long}`, `${long} geh eim`]) {
      expect(() => serviceFromEnv({ MUNINN_TOKEN: value })).toThrow(EnvironmentError)
      expect(() => serviceFromEnv({ MUNINN_TOKEN: value })).not.toThrow(/geh ?eim/)
    }
  })
})

describe('tokens', () => {
  test('one is an admin', () => {
    const tokens = parseTokens('s3cret-s3cret-s3')
    expect(findToken(tokens, 's3cret-s3cret-s3')).toMatchObject({ name: 'admin', role: 'admin' })
    expect(findToken(tokens, 's3cret-s3cret-s')).toBeNull()
    expect(findToken([], '')).toBeNull()
  })

  test('of fewer than 16 characters are known as weak', () => {
    expect(parseTokens('fifteen-letters')).toMatchObject([{ weak: true }])
    expect(parseTokens('a:read:sixteen-letters-,b:admin:short')).toMatchObject([{ weak: false }, { weak: true }])
  })

  test('a list has names and roles', () => {
    const tokens = parseTokens('dash:read:the-first-of-tokens, ops:admin:the-second-of-tokens')
    expect(findToken(tokens, 'the-first-of-tokens')).toMatchObject({ name: 'dash', role: 'read' })
    expect(findToken(tokens, 'the-second-of-tokens')).toMatchObject({ name: 'ops', role: 'admin' })
    expect(findToken(tokens, 'dash:read:the-first-of-tokens')).toBeNull()
    expect(JSON.stringify(tokens)).not.toContain('first')
  })
})

describe('variables that nobody reads', () => {
  test.each([
    ['MUNINN_PROT', 'MUNINN_PORT'],
    ['MUNINN_TOKENS', 'MUNINN_TOKEN'],
    ['MUNINN_MAXMEMORY', 'MUNINN_MAX_MEMORY'],
    ['MUNINN_MAX_ITEMS', 'CACHE_MAX_ITEMS'],
    ['MUNINN_REDACT_SECRETFILE', 'MUNINN_REDACT_SECRET_FILE'],
    ['MUNINN_COLOUR', null],
    ['CACHE_MAX_ITEM', 'CACHE_MAX_ITEMS'],
    ['CACHE_MAX_MEMORY', 'MUNINN_MAX_MEMORY'],
    ['CACHE_EVICTION_POLCY', 'CACHE_EVICTION_POLICY'],
    ['CACHE_TENANT_MAX_ITEM', 'CACHE_TENANT_MAX_ITEMS'],
    ['CACHE_USER_SESSIONS_MAXITEMS', 'CACHE_USER_SESSIONS_MAX_ITEMS'],
    ['CACHE_A_MAX_ITMES', 'CACHE_A_MAX_ITEMS'],
  ])('%s: %s is meant', async (variable, nearest) => {
    expect(await unreadVariables({ [variable]: 'x' })).toEqual([{ variable, nearest }])
  })

  test('are none of those that are read', async () => {
    const read = new Set<string>()
    const asked = (env: Record<string, string>) =>
      new Proxy(env, {
        get: (target, name) => {
          read.add(String(name))
          return Reflect.get(target, name)
        },
      })
    optionsFromEnv(asked({ MUNINN_DB: 'a.db', MUNINN_REDACT_KEYS: 'true', MUNINN_REDACT_SECRET: 's'.repeat(32) }))
    serviceFromEnv(asked({}))
    expect(read.size).toBeGreaterThan(15)
    expect(await unreadVariables(Object.fromEntries([...read].map((name) => [name, 'x'])))).toEqual([])
    expect(await unreadVariables({ CACHE_TENANT_MAX_ITEMS: '1', CACHE_ANY_OTHER_MAX_ITEMS: '1' })).toEqual([])
  })

  test("nor other programs', whose prefix CACHE_ is, too, nor those that Kubernetes sets", async () => {
    const others = [
      'DIR',
      'URL',
      'HOST',
      'PORT',
      'TTL',
      'DRIVER',
      'STORE',
      'PREFIX',
      'MAX_AGE',
      'ENABLED',
      'DB',
      'TOKEN',
    ]
    const links = ['SERVICE_HOST', 'SERVICE_PORT', 'SERVICE_PORT_HTTP', 'PORT_8080_TCP', 'PORT_8080_TCP_ADDR']
    const names = [...others, ...links].map((name) => `CACHE_${name}`).concat(links.map((name) => `MUNINN_${name}`))
    expect(await unreadVariables(Object.fromEntries(names.map((name) => [name, 'x'])))).toEqual([])
  })
})
