import { pino } from 'pino'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { MemoryManager } from '../../src/muninn.ts'
import { startService } from '../../src/serve/http/server.ts'
import { parseTokens } from '../../src/serve/http/tokens.ts'
import { openBrowser, serve, Visit } from './dashboard.ts'

let browser: Browser
beforeAll(async () => {
  browser = await openBrowser()
})
afterAll(() => browser.close())

function emptyMemory(): MemoryManager {
  return new MemoryManager({ maxMemory: '8MB', checkInterval: 0 })
}

test('without caches and without an audit log every view says so', async () => {
  const memory = emptyMemory()
  const service = await serve(memory, 0)
  const visit = await Visit.to(browser, service.url, 'now')
  await visit.page.getByText('No caches yet').waitFor()
  await visit.page.getByText('none is kept: nothing is remembered').waitFor()
  for (const view of ['timeline', 'evictions', 'regrets', 'doctor']) {
    await visit.go(view)
    await visit.page.getByText('This service keeps no audit log').first().waitFor()
    await visit.beAccessible()
  }
  await visit.go('keys')
  await visit.page.getByText('No cache yet').waitFor()
  await visit.go('nowhere')
  await visit.page.getByText('There is no view').waitFor()
  // The answers that say so are 404s, and the browser notes each.
  await visit.endWell(/404/)
  await service.close(100)
  await memory.close()
})

test('a service that goes away and comes back: figures stay, it says so, and follows the new run', async () => {
  const first = emptyMemory()
  first.cache('tenant').set('a', 1, { size: 1024 })
  let service = await serve(first, 0)
  const port = Number(new URL(service.url).port)
  const visit = await Visit.to(browser, service.url, 'now')
  const { page } = visit
  await page.getByText(first.runId).waitFor()
  const tail = await Visit.to(browser, service.url, 'tail?groups=stores')
  await tail.page.getByText('Following').waitFor()
  await service.close(100)
  await first.close()
  await page.getByText('Reconnecting').waitFor()
  expect(await page.locator('.reading').textContent()).toContain('1.0 KB of')
  await page.getByText(/Not live: the service does not answer\. What is shown is as of/).waitFor()
  await visit.beAccessible()
  const second = emptyMemory()
  second.cache('tenant').set('a', 1, { size: 2048 })
  service = await serve(second, port)
  await page.getByText(second.runId).waitFor()
  await page.locator('.link[data-state="live"]').waitFor()
  expect(await page.locator('.reading').textContent()).toContain('2.0 KB of')
  expect(await page.getByText('Not live').count()).toBe(0)
  await tail.page.getByText('Following').waitFor()
  second.cache('tenant').set('after the restart', 1)
  await tail.page.getByRole('link', { name: 'after the restart' }).waitFor()
  for (const one of [tail, visit])
    await one.endWell(/ERR_CONNECTION_REFUSED|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET|failed: .*\/api\//)
  await service.close(100)
  await second.close()
})

test('with a token of role read nothing can be changed, and the page says so', async () => {
  const memory = emptyMemory()
  memory.cache('tenant').set('a', 1)
  const service = await startService({
    memory,
    host: '0.0.0.0',
    port: 0,
    tokens: parseTokens('grafana:read:s3cret-s3cret-s3cret'),
    allowedHosts: null,
    requireAudit: false,
    logger: pino({ level: 'silent' }),
  })
  const url = `http://127.0.0.1:${new URL(service.url).port}`
  const visit = await Visit.to(browser, url, 'settings')
  const { page } = visit
  await page.getByLabel('Token', { exact: true }).fill('s3cret-s3cret-s3cret')
  await page.keyboard.press('Enter')
  await page.getByText('Read only').waitFor()
  await page.getByText('it changes nothing').waitFor()
  await page.getByLabel('Memory budget').waitFor()
  expect(await page.getByLabel('Memory budget').isDisabled()).toBe(true)
  expect(await page.getByRole('button', { name: 'Reset statistics…' }).isDisabled()).toBe(true)
  await visit.beAccessible()
  await page.evaluate("location.hash = '#/keys/tenant/a'")
  const remove = page.getByRole('button', { name: 'Delete…' })
  await remove.waitFor()
  expect(await remove.isDisabled()).toBe(true)
  await visit.endWell(/40[14]/)
  await service.close(100)
  await memory.close()
})

test('a token is asked for, kept in memory alone, and gone with a reload', async () => {
  const memory = emptyMemory()
  memory.cache('tenant')
  const service = await startService({
    memory,
    host: '0.0.0.0',
    port: 0,
    tokens: parseTokens('s3cret-s3cret-s3cret'),
    allowedHosts: null,
    requireAudit: false,
    logger: pino({ level: 'silent' }),
  })
  const url = `http://127.0.0.1:${new URL(service.url).port}`
  const visit = await Visit.to(browser, url, 'now')
  const { page } = visit
  await page.getByRole('heading', { name: 'Token' }).waitFor()
  await visit.beAccessible()
  await page.getByLabel('Token', { exact: true }).fill('wrong')
  await page.getByRole('button', { name: 'Open the dashboard' }).click()
  await page.getByText('doesn’t know this token').waitFor()
  await page.getByLabel('Token', { exact: true }).fill('s3cret-s3cret-s3cret')
  await page.keyboard.press('Enter')
  await page.getByRole('meter', { name: 'Memory budget' }).waitFor()
  const kept = await page.evaluate('JSON.stringify([localStorage, sessionStorage, document.cookie, location.href])')
  expect(kept).not.toContain('s3cret')
  await page.reload()
  await page.getByRole('heading', { name: 'Token' }).waitFor()
  await visit.endWell(/401/)
  await service.close(100)
  await memory.close()
})
