import { mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Browser, BrowserContextOptions } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openBrowser, type ServedDemo, serveDemo, Visit } from './dashboard.ts'

/** Written by `npm run screenshots`; otherwise only looked through. */
const FOLDER =
  process.env.MUNINN_SCREENSHOTS === '1' ? fileURLToPath(new URL('../../docs/images/', import.meta.url)) : null

let browser: Browser
let served: ServedDemo
beforeAll(async () => {
  if (FOLDER !== null) mkdirSync(FOLDER, { recursive: true })
  ;[browser, served] = await Promise.all([openBrowser(), serveDemo()])
  served.demo.play(async () => served.demo.redeploy())
})
afterAll(async () => {
  await browser.close()
  await served.close()
})

/** Each view, by what shows that it has its data. */
const VIEWS = [
  { name: 'now', view: 'now', shows: '.sparkline' },
  { name: 'timeline', view: 'timeline?since=-15m', shows: '.lanes .stretch' },
  { name: 'keys', view: 'keys?cache=tenant', shows: 'table' },
  { name: 'evictions', view: 'evictions', shows: '.why' },
  { name: 'regrets', view: 'regrets', shows: '.histogram' },
  { name: 'doctor', view: 'doctor', shows: '.finding' },
  { name: 'settings', view: 'settings', shows: '.setting input' },
  { name: 'tail', view: 'tail', shows: '.tail li:nth-child(25)' },
] as const

const LOOKS: Readonly<Record<string, BrowserContextOptions>> = {
  light: { colorScheme: 'light' },
  dark: { colorScheme: 'dark' },
  phone: { colorScheme: 'light', viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true },
}

for (const [look, options] of Object.entries(LOOKS)) {
  test(`${look}: every view fits, and nothing is wider than the page`, async () => {
    for (const { name, view, shows } of VIEWS) {
      const visit = await Visit.to(browser, served.url, view, options)
      const { page } = visit
      await page.locator(shows).first().waitFor()
      await page.locator('.loading').waitFor({ state: 'detached' })
      const [wide, room] = (await page.evaluate('[document.documentElement.scrollWidth, innerWidth]')) as number[]
      expect([name, wide]).toEqual([name, room])
      if (FOLDER !== null) await page.screenshot({ path: `${FOLDER}${name}-${look}.png` })
      await visit.endWell()
    }
  })
}
