import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openBrowser, Visit } from './dashboard.ts'

const MAIN = fileURLToPath(new URL('../../dist/serve/cli/main.js', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'muninn-crash-'))

let browser: Browser
beforeAll(async () => {
  browser = await openBrowser()
})
afterAll(async () => {
  await browser.close()
  rmSync(folder, { recursive: true, force: true })
})

async function serveProcess(): Promise<{ child: ChildProcess; url: string }> {
  const args = ['serve', '--json', '--port', '0', '--db', join(folder, 'muninn.db'), '--max-items', '200']
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'ignore'] })
  const [text] = (await once(child.stdout, 'data')) as [Buffer]
  return { child, url: (JSON.parse(text.toString()) as { url: string }).url }
}

/** Five times as many items as there is room for. */
async function burst(url: string): Promise<void> {
  const operations = Array.from({ length: 1000 }, (_, n) => ({ op: 'put', key: `burst:${n}`, text: 'x' }))
  const answer = await fetch(`${url}/api/cache/general/bulk`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ operations }),
  })
  expect(answer.status).toBe(200)
}

test('a service killed in a burst: the timeline shows the crash, the burst and its keys, and the run after it', async () => {
  const first = await serveProcess()
  await burst(first.url)
  const kept = async () => {
    const page = (await (await fetch(`${first.url}/api/audit/evictions?limit=1000`)).json()) as { items: unknown[] }
    return page.items.length
  }
  await expect.poll(kept, { timeout: 20_000 }).toBe(800)
  first.child.kill('SIGKILL')
  await once(first.child, 'exit')
  const second = await serveProcess()

  const visit = await Visit.to(browser, second.url, 'timeline')
  const { page } = visit
  const crash = page.locator('.lanes [data-kind="crash"]')
  await crash.waitFor()
  expect(await crash.getAttribute('title')).toMatch(/run \S+ crashed/)
  const box = await crash.boundingBox()
  expect(box?.width).toBeGreaterThan(4)
  expect(box?.height).toBeGreaterThan(8)
  expect(await page.locator('.lanes [data-kind="running"]').count()).toBe(1)
  await page.getByText(/Run \S+ crashed: the log's last word of it, after 800 evictions/).waitFor()
  await visit.beAccessible()
  if (process.env.MUNINN_SCREENSHOTS === '1') {
    mkdirSync('screenshots', { recursive: true })
    await page.screenshot({ path: 'screenshots/timeline-crash.png', fullPage: true })
  }
  const at = new Date(Math.floor(Date.now() / 60_000) * 60_000 - 60_000).toISOString()
  await visit.go(`evictions?since=${at}&order=time`)
  await page
    .getByRole('link', { name: /^burst:/ })
    .first()
    .waitFor()
  await visit.endWell()
  second.child.kill('SIGTERM')
  await once(second.child, 'exit')
})
