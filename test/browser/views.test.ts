import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openBrowser, type ServedDemo, serveDemo, Visit } from './dashboard.ts'

let browser: Browser
let served: ServedDemo
beforeAll(async () => {
  ;[browser, served] = await Promise.all([openBrowser(), serveDemo()])
  play()
})
afterAll(async () => {
  await browser.close()
  await served.close()
})

/** A loaded machine is slow, and no failure. */
const SOON = { timeout: 20_000 }

const VIEWS = ['now', 'timeline', 'keys', 'evictions', 'regrets', 'curves', 'doctor', 'settings', 'tail']

describe('every view', () => {
  for (const view of VIEWS) {
    test(`${view}: data, no error, nothing serious by axe, in light and dark`, async () => {
      for (const colorScheme of ['light', 'dark'] as const) {
        const visit = await Visit.to(browser, served.url, view, { colorScheme })
        await visit.page.locator('.link[data-state="live"]').first().waitFor()
        await visit.page
          .locator(FILLED[view] ?? 'table')
          .first()
          .waitFor()
        await visit.beAccessible()
        await visit.endWell()
      }
    })
  }
})

/** What a view shows once it has its data. */
const FILLED: Readonly<Record<string, string>> = {
  now: '.gauge',
  timeline: '.lanes .stretch',
  doctor: '.finding',
  settings: '.setting input',
  tail: '.tail li',
}

test('Now follows the service: figures move, and the panel they stand in is not made anew', async () => {
  const visit = await Visit.to(browser, served.url, 'now')
  const reading = visit.page.locator('.reading')
  await reading.waitFor()
  const first = await reading.textContent()
  await visit.page.evaluate(
    "document.querySelector('.gauge').kept = true; document.querySelector('canvas').kept = true",
  )
  await expect.poll(() => reading.textContent(), SOON).not.toBe(first)
  expect(
    await visit.page.evaluate("document.querySelector('.gauge').kept && document.querySelector('canvas').kept"),
  ).toBe(true)
  const gauge = visit.page.getByRole('meter', { name: 'Memory budget' })
  expect(Number(await gauge.getAttribute('aria-valuenow'))).toBeGreaterThan(0)
  expect(await visit.page.getByRole('region', { name: 'Caches' }).getByRole('rowheader').allTextContents()).toEqual(
    served.demo.memory.stats().caches.map((cache) => cache.name),
  )
  await visit.endWell()
})

test('Now has rates before it has looked for long: the log knows the minutes before', () =>
  inQuiet(async () => {
    const visit = await Visit.to(browser, served.url, 'doctor')
    const { page } = visit
    // For the page no time passes: what it sees by itself is never enough.
    await page.clock.setFixedTime(new Date())
    await page.goto(`${served.url}/#/now`)
    await page.reload()
    const rates = async (region: string) => {
      const rows = page.getByRole('region', { name: region }).locator('tbody tr')
      return (await rows.allTextContents()).map((row) => Number(/([\d,.]+) \/min/.exec(row)?.[1]?.replace(',', '')))
    }
    const causes = Object.keys(served.demo.memory.stats().evictedByCause)
    expect(causes.length).toBeGreaterThan(0)
    await expect
      .poll(
        () => page.getByRole('region', { name: 'Evictions by cause' }).getByRole('rowheader').allTextContents(),
        SOON,
      )
      .toHaveLength(causes.length)
    for (const region of ['Evictions by cause', 'Caches']) {
      await expect.poll(async () => (await rates(region)).reduce((sum, one) => sum + one, 0), SOON).toBeGreaterThan(0)
    }
    await visit.endWell()
  }))

test('Timeline: a burst of evictions opens its keys, a drawn range is seen closer', async () => {
  const visit = await Visit.to(browser, served.url, 'timeline?since=-15m')
  const chart = visit.page.locator('.chart').nth(2).locator('.u-over')
  await chart.waitFor()
  const box = (await chart.boundingBox())!
  // The past is the last minutes: towards the right.
  await visit.page.mouse.click(box.x + box.width * 0.85, box.y + box.height / 2)
  const burst = visit.page.getByRole('region', { name: 'Evicted then' })
  await burst.getByRole('rowheader').first().waitFor()
  await visit.page.mouse.move(box.x + box.width * 0.7, box.y + 20)
  await visit.page.mouse.down()
  await visit.page.mouse.move(box.x + box.width * 0.9, box.y + 20, { steps: 3 })
  await visit.page.mouse.up()
  await visit.page.getByRole('button', { name: 'Back to the last hour' }).waitFor()
  expect(visit.page.url()).toMatch(/since=20.*until=20/)
  await visit.endWell()
})

/** What a test stored must not be evicted by others before it has looked. */
async function inQuiet(look: () => Promise<void>): Promise<void> {
  served.demo.pause()
  await look().finally(play)
}

function play(): void {
  // The service stays as it is, however long the tests take: its manager must not be closed under it.
  served.demo.play(async () => {})
}

test('Keys: found by prefix, sorted, one opened, its life drawn, deleted with the actor recorded', () =>
  inQuiet(async () => {
    const { memory } = served.demo
    memory.cache('general').set('zebra:1', 'a', { size: 100 })
    memory.cache('general').set('zebra:2', 'b', { size: 900, tags: ['striped'] })
    const visit = await Visit.to(browser, served.url, 'keys')
    const { page } = visit
    await page.getByLabel('Cache').selectOption('general')
    await page.getByLabel('Key begins with').fill('zebra:')
    const keys = page.getByRole('group', { name: 'Live keys' }).getByRole('rowheader')
    await expect.poll(() => keys.allTextContents(), SOON).toEqual(['zebra:2', 'zebra:1'])
    await page.getByRole('button', { name: /^Size/ }).click()
    await expect.poll(() => keys.allTextContents(), SOON).toEqual(['zebra:1', 'zebra:2'])
    await page.getByRole('link', { name: 'zebra:2' }).click()
    await page.getByText('tags striped').waitFor()
    await visit.beAccessible()
    await page.getByRole('button', { name: 'Delete…' }).click()
    await visit.beAccessible()
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
    await page.getByRole('heading', { name: 'Not in the cache' }).waitFor()
    expect(memory.cache('general').has('zebra:2')).toBe(false)
    const events = page.getByRole('group', { name: 'Events of this key' })
    await events.getByText(/deleted: 900 bytes.*by "http"/).waitFor()
    await page.locator('.life rect').waitFor({ state: 'attached' })
    await visit.endWell()
  }))

test('Keys: one that hundreds of others begin with is found, and is gone once it is deleted', () =>
  inQuiet(async () => {
    const cache = served.demo.memory.cache('general')
    for (let n = 0; n < 250; n++) cache.set(`crowd:${n}`, n, { size: 10 })
    cache.set('crowd:', 'last', { size: 11 })
    const visit = await Visit.to(browser, served.url, 'keys/general/crowd%3A')
    await visit.page.getByRole('heading', { name: 'In the cache' }).waitFor()
    cache.delete('crowd:')
    await visit.page.getByRole('heading', { name: 'Not in the cache' }).waitFor(SOON)
    for (let n = 0; n < 250; n++) cache.delete(`crowd:${n}`)
    await visit.endWell()
  }))

test('Keys: one whose address a browser would take for a folder is deleted, and nothing else', () =>
  inQuiet(async () => {
    const cache = served.demo.memory.cache('general')
    cache.set('.', 'a', { size: 10 })
    cache.set('', 'b', { size: 10 })
    const visit = await Visit.to(browser, served.url, 'keys/general/')
    const { page } = visit
    await page.getByRole('heading', { name: 'In the cache' }).waitFor()
    await page.getByRole('region', { name: 'Its life' }).waitFor()
    await visit.go('keys/general/.')
    await page.getByRole('button', { name: 'Delete…' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
    await expect.poll(() => cache.has('.'), SOON).toBe(false)
    expect(cache.has('')).toBe(true)
    cache.delete('')
    await visit.endWell()
  }))

test('Evictions: filtered by cause and prefix, paged, each with its reason', async () => {
  const visit = await Visit.to(browser, served.url, 'evictions')
  const { page } = visit
  const table = page.getByRole('group', { name: 'Evictions', exact: true })
  await page.getByLabel('Cause').selectOption('cache-items')
  await table.getByText("the cache's own limit of items was reached").filter({ visible: true }).first().waitFor()
  const key = table.getByRole('rowheader').first()
  const first = await key.textContent()
  await page.getByRole('button', { name: 'Next' }).click()
  await expect.poll(() => key.textContent(), SOON).not.toBe(first)
  await page.getByRole('button', { name: 'Previous' }).click()
  await page.getByLabel('Key begins with').fill('quota:')
  await expect
    .poll(
      async () => (await table.getByRole('rowheader').allTextContents()).every((text) => text.startsWith('quota:')),
      SOON,
    )
    .toBe(true)
  await visit.endWell()
})

test('Doctor: the advice is applied once it is confirmed, recorded, and in the settings', async () => {
  const { memory } = served.demo
  const visit = await Visit.to(browser, served.url, 'doctor')
  const { page } = visit
  const before = memory.settings.maxMemory
  await page
    .getByRole('button', { name: /^Apply maxMemory/ })
    .first()
    .click()
  await page.getByRole('dialog').getByText('Nothing is evicted by it at once.').waitFor()
  await visit.beAccessible()
  await page.getByRole('dialog').getByRole('button', { name: 'Apply' }).click()
  await page.getByText('Applied.').waitFor()
  expect(memory.settings.maxMemory).toBe(before * 2)
  await visit.go('settings')
  await page
    .getByRole('group', { name: 'Changes' })
    .getByText(/maxMemory/)
    .first()
    .waitFor()
  await visit.endWell()
})

/** Every setting that the doctor may suggest, and what is changed by hand afterwards. */
const SUGGESTED: readonly [setting: string, value: string | number][] = [
  ['maxMemory', 7_000_000],
  ['maxHeap', 9_000_000],
  ['maxItems', 4321],
  ['policy', 'lfu'],
  ['onFull', 'reject'],
  ['memoryThreshold', 0.75],
  ['evictionThreshold', 0.85],
  ['evictionTarget', 0.7],
  ['caches.tenant.maxItems', 321],
  ['caches.tenant.maxMemory', 5_000_000],
  ['caches.mimir.ttl', 123_000],
]

test('Doctor: whatever it suggests that can be changed has a button that does it', () =>
  inQuiet(async () => {
    const { memory } = served.demo
    const before = memory.settings
    const visit = await Visit.to(browser, served.url, 'now')
    const { page } = visit
    const items = [...SUGGESTED, ['NODE_OPTIONS', null] as const, ['clone', null] as const].map(([setting, value]) => {
      const words = { evidence: ['Seen.'], from: 'what it was', to: String(value), advice: 'Change it.' }
      return { finding: 'fighting settings', cache: null, severity: 'notice', setting, value, ...words }
    })
    const diagnosis = { since: null, until: null, items, next: null, looked: [], incomplete: null }
    await page.route('**/api/audit/doctor*', (route) => route.fulfill({ json: diagnosis }))
    await visit.go('doctor')
    const buttons = page.getByRole('button', { name: /^Apply / })
    await buttons.first().waitFor()
    expect(await buttons.count()).toBe(SUGGESTED.length)
    for (const [setting, value] of SUGGESTED) {
      await page.getByRole('button', { name: `Apply ${setting}: ${value}`, exact: true }).click()
      await page.getByRole('dialog').getByText('evict', { exact: false }).first().waitFor()
      await page.getByRole('dialog').getByRole('button', { name: 'Apply' }).click()
      await page.getByRole('dialog').waitFor({ state: 'detached' })
      const now = setting.split('.').reduce<unknown>((of, name) => Reflect.get(of as object, name), memory.settings)
      expect([setting, now]).toEqual([setting, value])
    }
    const { maxMemory, maxHeap, maxItems, onFull, caches } = before
    const { memoryThreshold, evictionThreshold, evictionTarget } = before
    memory.setPolicy(before.policy)
    memory.setLimits({ maxMemory, maxHeap, maxItems, onFull, caches, memoryThreshold })
    memory.setLimits({ evictionThreshold, evictionTarget })
    await visit.endWell()
  }))

test('Settings: those of one cache, with what they would evict', () =>
  inQuiet(async () => {
    const { memory } = served.demo
    const visit = await Visit.to(browser, served.url, 'settings')
    const { page } = visit
    await page.getByLabel('tenant: items').fill('20')
    await page.getByLabel('mimir: time to live').fill('90s')
    await page.getByRole('button', { name: 'See what it would do…' }).click()
    const dialog = page.getByRole('dialog')
    const count = memory.cache('tenant').size - 20
    await dialog.getByText(`(tenant ${count}, by what is held now)`).waitFor()
    await visit.beAccessible()
    await dialog.getByRole('button', { name: 'Apply' }).click()
    await page.getByText('Applied, and recorded').waitFor()
    expect(memory.cache('tenant').size).toBe(20)
    expect(memory.settings.caches).toMatchObject({ tenant: { maxItems: 20 }, mimir: { ttl: 90_000 } })
    memory.setLimits({ caches: { tenant: { maxItems: 200 }, mimir: { ttl: Number.POSITIVE_INFINITY } } })
    await visit.endWell()
  }))

test('Evictions: sorted over all pages by what is asked for', async () => {
  const visit = await Visit.to(browser, served.url, 'evictions?until=-1m')
  const { page } = visit
  const table = page.getByRole('group', { name: 'Evictions', exact: true })
  await table.getByRole('button', { name: 'Size' }).click()
  const largest = served.demo.memory.history?.evictions({ order: 'size', limit: 1, until: Date.now() - 60_000 })
  const key = (await largest)?.items[0]?.key ?? ''
  await expect.poll(() => table.getByRole('rowheader').first().textContent(), SOON).toContain(key)
  await page.getByRole('button', { name: 'Next' }).click()
  await page.getByText('page 2,').waitFor()
  await table.getByRole('button', { name: 'Size' }).click()
  await page.getByText('page 1,').waitFor()
  expect(await table.getByRole('columnheader', { name: 'Size' }).getAttribute('aria-sort')).toBe('ascending')
  await visit.endWell()
})

test('Settings: says what would be evicted, changes nothing before that is confirmed, and a wrong value cannot be sent', async () => {
  const { memory } = served.demo
  memory.setLimits({ maxItems: 5000 })
  const visit = await Visit.to(browser, served.url, 'settings')
  const { page } = visit
  const see = page.getByRole('button', { name: 'See what it would do…' })
  await page.getByLabel('Memory budget').fill('12 parsecs')
  expect(await see.isDisabled()).toBe(true)
  await page.getByRole('alert').getByText('Give bytes, such as 64MB').waitFor()
  await visit.beAccessible()
  await page.getByRole('button', { name: 'Undo' }).click()
  await page.getByLabel('Items in all').fill('300')
  await see.click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText(/This evicts (?:about )?[\d,]+ entries, [\d.]+ [KM]B/).waitFor()
  expect(memory.settings.maxItems).toBe(5000)
  await page.keyboard.press('Escape')
  await dialog.waitFor({ state: 'detached' })
  await see.click()
  await dialog.getByText(/This evicts/).waitFor()
  await dialog.getByRole('button', { name: 'Apply' }).click()
  await page.getByText('Applied, and recorded').waitFor()
  expect(memory.settings.maxItems).toBe(300)
  expect(memory.stats().cacheItemCount).toBeLessThanOrEqual(300)
  memory.setLimits({ maxItems: 5000 })
  await visit.endWell()
})

test('Live tail: follows, pauses, goes on, and is filtered', async () => {
  const visit = await Visit.to(browser, served.url, 'tail')
  const { page } = visit
  const first = page.locator('.tail li').first()
  await first.waitFor()
  await page.getByRole('button', { name: 'Pause' }).click()
  await page.getByText(/[1-9]\d* waiting/).waitFor()
  const seen = await first.textContent()
  await page.getByText(/\d\d+ waiting/).waitFor()
  expect(await first.textContent()).toBe(seen)
  await page.getByRole('button', { name: 'Go on' }).click()
  await expect.poll(() => first.textContent(), SOON).not.toBe(seen)
  await page.getByLabel('reads', { exact: true }).check()
  await page.getByLabel('departures', { exact: true }).uncheck()
  await page.getByLabel('levels and cycles').uncheck()
  await page.getByLabel('settings and life').uncheck()
  await page.getByLabel('Key begins with').fill('quota:')
  await expect
    .poll(async () => {
      const lines = await page.locator('.tail li').allTextContents()
      return lines.length > 5 && lines.every((line) => /(accessed|missed)quota:/.test(line))
    }, SOON)
    .toBe(true)
  await visit.endWell()
})

test('a key that is markup stays text, wherever it is shown', () =>
  inQuiet(async () => {
    const hostile = '<img src=x onerror="document.title=`pwned`"><script>document.title=`pwned`</script>\u202e'
    const cache = served.demo.memory.cache('general')
    cache.set(hostile, { html: hostile }, { size: 10, tags: [hostile], actor: hostile })
    const visit = await Visit.to(browser, served.url, 'keys?cache=general&prefix=%3Cimg')
    const { page } = visit
    await page.getByRole('link', { name: /<img src=x/ }).click()
    await page.getByRole('heading', { name: 'In the cache' }).waitFor()
    cache.delete(hostile, { actor: hostile })
    await page.getByRole('heading', { name: 'Not in the cache' }).waitFor(SOON)
    await page.reload()
    const events = page.getByRole('group', { name: 'Events of this key' })
    await events.getByText(/deleted: 10 bytes/).waitFor()
    expect(await page.locator('img, main script').count()).toBe(0)
    expect(await page.title()).toBe('Keys · Muninn')
    await visit.endWell()
  }))

test('by keyboard alone: past the navigation, into the content, and a view chosen', async () => {
  const visit = await Visit.to(browser, served.url, 'now')
  const { page } = visit
  await page.locator('.gauge').waitFor()
  await page.keyboard.press('Tab')
  expect(await page.evaluate('document.activeElement.textContent.trim()')).toBe('To the content')
  await page.keyboard.press('Enter')
  expect(await page.evaluate('document.activeElement.id')).toBe('main')
  await page.getByRole('link', { name: 'Regrets' }).focus()
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'What evictions cost' }).waitFor()
  expect(await page.evaluate('document.activeElement.id')).toBe('main')
  await visit.endWell()
})
