import { readFileSync } from 'node:fs'
import { parser } from '@prometheus-io/lezer-promql'
import parsePrometheus from 'parse-prometheus-text-format'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse as parseYaml } from 'yaml'
import { EVICTION_CAUSES } from '../../src/event/vocabulary.ts'
import { ask, type TestService, testService } from './http-support.ts'

interface Family {
  readonly name: string
  readonly help: string
  readonly type: string
  readonly metrics: readonly {
    readonly value?: string
    readonly count?: string
    readonly sum?: string
    readonly labels?: Readonly<Record<string, string>>
    readonly buckets?: Readonly<Record<string, string>>
  }[]
}

let service: TestService
beforeAll(async () => {
  service = await testService({ memory: { policy: 'lru' } })
})
afterAll(() => service.close())

async function scrape(): Promise<Map<string, Family>> {
  const answer = await ask(service.port, { path: '/metrics' })
  expect(answer.status).toBe(200)
  expect(answer.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8')
  return new Map((parsePrometheus(answer.body.toString()) as Family[]).map((family) => [family.name, family]))
}

/** The value of one label set. */
function reading(families: Map<string, Family>, name: string, labels: Record<string, string> = {}): number {
  const rows = families
    .get(name)
    ?.metrics.filter((one) => Object.entries(labels).every(([label, value]) => one.labels?.[label] === value))
  expect([name, labels, rows?.length]).toEqual([name, labels, 1])
  return Number(rows?.[0]?.value)
}

const TYPES = {
  muninn_cache_requests_total: 'COUNTER',
  muninn_cache_evictions_total: 'COUNTER',
  muninn_cache_regretted_evictions_total: 'COUNTER',
  muninn_cache_evicted_bytes_total: 'COUNTER',
  muninn_cache_entries: 'GAUGE',
  muninn_cache_size_bytes: 'GAUGE',
  muninn_cache_limit_bytes: 'GAUGE',
  muninn_cache_usage_ratio: 'GAUGE',
  muninn_load_duration_seconds: 'HISTOGRAM',
  muninn_audit_lost_events_total: 'COUNTER',
}

describe('/metrics', () => {
  test('has the promised names and types, each with a help text, and no other', async () => {
    const families = await scrape()
    expect(Object.fromEntries([...families.values()].map(({ name, type }) => [name, type]))).toEqual(TYPES)
    for (const { help } of families.values()) expect(help).toMatch(/\w+\.$/)
  })

  test('says what the statistics say', async () => {
    const cache = service.memory.cache<string>('tenant')
    for (let index = 0; index < 20; index++) cache.set(`key-${index}`, 'x'.repeat(100))
    for (let index = 0; index < 5; index++) cache.get('key-1')
    cache.get('absent')
    service.memory.evict({ cache: 'tenant', target: Math.floor(cache.bytes / 2) })
    const [gone] = Array.from({ length: 20 }, (_, index) => `key-${index}`).filter((key) => !cache.has(key))
    cache.get(gone ?? '')
    cache.get(gone ?? '')
    await cache.getOrLoad('loaded', async () => 'value')
    await cache.getOrLoad('failed', () => Promise.reject(new Error('no'))).catch(() => {})
    const families = await scrape()
    const stats = service.memory.stats()
    const own = stats.caches.find(({ name }) => name === 'tenant')
    const tenant = { cache: 'tenant' }
    expect(reading(families, 'muninn_cache_requests_total', { ...tenant, result: 'hit' })).toBe(own?.hits)
    expect(reading(families, 'muninn_cache_requests_total', { ...tenant, result: 'miss' })).toBe(own?.misses)
    expect(reading(families, 'muninn_cache_evictions_total', { ...tenant, cause: 'forced' })).toBe(own?.evictedItems)
    for (const cause of EVICTION_CAUSES.filter((one) => one !== 'forced'))
      expect(reading(families, 'muninn_cache_evictions_total', { ...tenant, cause })).toBe(0)
    expect(reading(families, 'muninn_cache_regretted_evictions_total', tenant)).toBe(1)
    expect(own?.regrettedMisses).toBe(2)
    expect(reading(families, 'muninn_cache_evicted_bytes_total', tenant)).toBe(own?.evictedBytes)
    expect(reading(families, 'muninn_cache_entries', tenant)).toBe(own?.items)
    expect(reading(families, 'muninn_cache_size_bytes', tenant)).toBe(own?.bytes)
    expect(reading(families, 'muninn_cache_limit_bytes')).toBe(64 * 1024 ** 2)
    expect(reading(families, 'muninn_cache_usage_ratio')).toBeCloseTo(
      Math.max(stats.currentMemoryBytes / stats.maxMemoryBytes, stats.heapBytes / stats.maxHeapBytes),
      10,
    )
    const [loads] = families.get('muninn_load_duration_seconds')?.metrics ?? []
    expect(loads).toMatchObject({ count: '2' })
  })

  test('counters go on after a reset of the statistics', async () => {
    const before = await scrape()
    expect((await ask(service.port, { method: 'POST', path: '/api/cache/memory/reset' })).status).toBe(200)
    const after = await scrape()
    expect(service.memory.stats().hits).toBe(0)
    for (const [name, type] of Object.entries(TYPES))
      if (type === 'COUNTER') expect([name, after.get(name)]).toEqual([name, before.get(name)])
  })

  test('no key is a label, and a cache that was dropped is told of no more', async () => {
    service.memory.cache('short-lived').set('confidential', 1)
    expect((await scrape()).get('muninn_cache_entries')?.metrics).toContainEqual({
      value: '1',
      labels: { cache: 'short-lived' },
    })
    service.memory.drop('short-lived')
    const text = (await ask(service.port, { path: '/metrics' })).body.toString()
    expect(text).not.toContain('short-lived')
    expect(text).not.toMatch(/confidential|key-/)
    const labels = new Set([...text.matchAll(/[{,](\w+)="/g)].map(([, label]) => label))
    expect([...labels].sort()).toEqual(['cache', 'cause', 'le', 'result'])
  })

  test('names of caches are escaped', async () => {
    service.memory.cache('a"b\\c\nd').set('k', 1)
    const entries = (await scrape()).get('muninn_cache_entries')
    expect(entries?.metrics.map(({ labels }) => labels?.cache)).toContain('a"b\\c\nd')
    service.memory.drop('a"b\\c\nd')
  })
})

/** What an expression, which must be one that Prometheus takes, asks for. */
interface Asked {
  readonly metrics: string[]
  /** Labels by which it groups. */
  readonly groups: string[]
  /** Metric, label and value that it selects by. */
  readonly selected: [metric: string, label: string, value: string][]
}

function askedBy(expression: string): Asked {
  const asked: Asked = { metrics: [], groups: [], selected: [] }
  let isGroup = false
  let label = ''
  parser.parse(expression).iterate({
    enter: ({ type, from, to, name }) => {
      const text = expression.slice(from, to)
      expect([expression, text, type.isError]).toEqual([expression, text, false])
      if (name === 'GroupingLabels' || name === 'LabelMatchers') isGroup = name === 'GroupingLabels'
      if (name === 'Identifier') asked.metrics.push(text)
      if (name === 'LabelName' && isGroup) asked.groups.push(text)
      if (name === 'LabelName') label = text
      // Prometheus itself adds the instance.
      if (name === 'StringLiteral' && label !== 'instance')
        for (const value of text.slice(1, -1).split('|'))
          asked.selected.push([asked.metrics.at(-1) ?? '', label, value])
    },
  })
  return asked
}

/** Values of each label, by metric. */
async function exposed(): Promise<Map<string, Map<string, Set<string>>>> {
  const all = new Map<string, Map<string, Set<string>>>()
  for (const { name, type, metrics } of (await scrape()).values()) {
    const labels = new Map<string, Set<string>>(type === 'HISTOGRAM' ? [['le', new Set()]] : [])
    for (const one of metrics) {
      for (const [label, value] of Object.entries(one.labels ?? {}))
        labels.set(label, (labels.get(label) ?? new Set()).add(value))
    }
    for (const suffix of type === 'HISTOGRAM' ? ['_bucket', '_sum', '_count'] : ['']) all.set(name + suffix, labels)
  }
  return all
}

/** Nothing that it asks for is missing: no metric, no label, no value of one. */
async function expectAnswered(title: string, { metrics, groups, selected }: Asked): Promise<void> {
  const there = await exposed()
  expect([title, metrics.length > 0]).toEqual([title, true])
  expect([title, metrics.filter((metric) => !there.has(metric))]).toEqual([title, []])
  const known = new Set(['instance', ...metrics.flatMap((metric) => [...(there.get(metric)?.keys() ?? [])])])
  expect([title, groups.filter((label) => !known.has(label))]).toEqual([title, []])
  const unknown = selected.filter(([metric, label, value]) => there.get(metric)?.get(label)?.has(value) !== true)
  expect([title, unknown]).toEqual([title, []])
}

interface Rule {
  readonly alert: string
  readonly expr: string
  readonly labels: { readonly severity: string }
}

describe('what is built on them', () => {
  const rules = () =>
    (parseYaml(readFileSync('docs/alerts.yml', 'utf8')) as { groups: { rules: Rule[] }[] }).groups.flatMap(
      (group) => group.rules,
    )

  test('alert rules ask for metrics and labels that there are, in expressions that Prometheus takes', async () => {
    for (const { alert, expr } of rules()) await expectAnswered(alert, askedBy(expr))
  })

  test('95 %, thrash and lost audit events page; 80 and 90 % inform', () => {
    expect(rules().map(({ alert, labels }) => [labels.severity, alert])).toEqual([
      ['page', 'MuninnUsageEmergency'],
      ['page', 'MuninnThrash'],
      ['page', 'MuninnAuditEventsLost'],
      ['info', 'MuninnUsageCritical'],
      ['info', 'MuninnUsageWarning'],
    ])
    const usage = rules().filter(({ expr }) => expr.startsWith('muninn_cache_usage_ratio'))
    expect(usage.map(({ expr }) => expr.split('>= ')[1])).toEqual(['0.95', '0.9', '0.8'])
  })

  test('the Grafana dashboard shows every metric, and none that there is not', async () => {
    const dashboard = JSON.parse(readFileSync('docs/grafana-dashboard.json', 'utf8')) as {
      panels: { title: string; targets: { expr: string }[] }[]
    }
    const used = new Set<string>()
    for (const { title, targets } of dashboard.panels) {
      for (const { expr } of targets) {
        const asked = askedBy(expr.replaceAll('$__rate_interval', '5m'))
        await expectAnswered(title, asked)
        for (const metric of asked.metrics) used.add(metric.replace(/_bucket$/, ''))
      }
    }
    expect([...used].sort()).toEqual(Object.keys(TYPES).sort())
  })
})
