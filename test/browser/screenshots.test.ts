import { fileURLToPath } from 'node:url'
import type { Browser, BrowserContextOptions } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { PAST } from '../../src/serve/demo/demo.ts'
import { DEMO_OPTIONS } from '../../src/serve/demo/options.ts'
import { openBrowser, type ServedDemo, serveDemo, Visit } from './dashboard.ts'

/** Written by `npm run screenshots`; otherwise the views are only looked through. */
const WRITES = process.env.MUNINN_SCREENSHOTS === '1'
const ALL = fileURLToPath(new URL('../../screenshots/', import.meta.url))
const KEPT = fileURLToPath(new URL('../../docs/images/', import.meta.url))
/** What the documentation shows. */
const IN_DOCS = ['now-light', 'now-dark', 'now-phone', 'timeline-light', 'key-dark', 'doctor-light', 'tail-dark']

let browser: Browser
let served: ServedDemo
beforeAll(async () => {
  const service = WRITES
    ? serveDemo({ ...DEMO_OPTIONS, caches: { tenant: { maxItems: 500 }, mimir: { maxItems: 500 } } }, PAST)
    : serveDemo()
  ;[browser, served] = await Promise.all([openBrowser(), service])
  // The service stays as it is, however long the tests take: its manager must not be closed under it.
  served.demo.play(async () => {})
})
afterAll(async () => {
  await browser.close()
  await served.close()
})

/** Each view, by what shows that it has its data. */
const VIEWS = [
  {
    name: 'timeline',
    view: WRITES ? 'timeline?since=-30m' : 'timeline?since=-15m',
    shows: '.lanes .moment[data-kind="change"]',
  },
  { name: 'keys', view: 'keys?cache=tenant', shows: 'table' },
  { name: 'key', view: 'keys/tenant/settings%3A1025', shows: '.summary' },
  { name: 'evictions', view: 'evictions', shows: '.why:visible' },
  { name: 'regrets', view: 'regrets', shows: '.histogram' },
  { name: 'curves', view: 'curves', shows: 'canvas' },
  { name: 'doctor', view: 'doctor', shows: '.finding' },
  { name: 'settings', view: 'settings', shows: '.setting input' },
  { name: 'tail', view: 'tail', shows: '.tail li:nth-child(25)' },
] as const

const LOOKS: Readonly<Record<string, BrowserContextOptions>> = {
  light: { colorScheme: 'light' },
  dark: { colorScheme: 'dark' },
  phone: { colorScheme: 'light', viewport: { width: 390, height: 844 }, hasTouch: true },
}

async function look({ page }: Visit, name: string): Promise<void> {
  await page.locator('.loading').first().waitFor({ state: 'detached' })
  const [wide, room] = (await page.evaluate('[document.documentElement.scrollWidth, innerWidth]')) as number[]
  expect([name, wide]).toEqual([name, room])
  if (!WRITES) return
  await page.screenshot({ path: `${ALL}${name}.png` })
  if (IN_DOCS.includes(name)) await page.screenshot({ path: `${KEPT}${name}.png` })
}

for (const [how, options] of Object.entries(LOOKS)) {
  test(`${how}: every view fits, and nothing is wider than the page`, async () => {
    // Looked at last, when its curves have something to show.
    const now = await Visit.to(browser, served.url, 'now', options)
    for (const { name, view, shows } of VIEWS) {
      const visit = await Visit.to(browser, served.url, view, options)
      const shown = visit.page.locator(shows).first()
      await shown.waitFor()
      // In sight without scrolling sideways.
      const { x, width } = (await shown.boundingBox())!
      expect([name, x >= 0 && x + width <= visit.page.viewportSize()!.width]).toEqual([name, true])
      await look(visit, `${name}-${how}`)
      await visit.endWell()
    }
    await now.page.locator('.sparkline').first().waitFor()
    await look(now, `now-${how}`)
    await now.endWell()
  })
}
