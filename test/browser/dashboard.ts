import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import axe from 'axe-core'
import { pino } from 'pino'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { expect, inject } from 'vitest'
import type { MemoryManagerOptions } from '../../src/base/options.ts'
import { Demo } from '../../src/serve/demo/demo.ts'
import { DEMO_OPTIONS } from '../../src/serve/demo/options.ts'
import { type Service, startService } from '../../src/serve/http/server.ts'

/** The demonstration, served. */
export interface ServedDemo {
  readonly url: string
  readonly demo: Demo
  close(): Promise<void>
}

/** Small, so that it begins quickly: little memory, and a past of four minutes. */
const SMALL: MemoryManagerOptions = {
  ...DEMO_OPTIONS,
  maxMemory: '6MB',
  caches: { tenant: { maxItems: 200 }, mimir: { maxItems: 200 } },
}

export async function serveDemo(options = SMALL, past = 4 * 60_000): Promise<ServedDemo> {
  const folder = mkdtempSync(join(tmpdir(), 'muninn-browser-'))
  const demo = await Demo.begin({
    seed: 7,
    past,
    memory: { ...options, audit: join(folder, 'muninn.db') },
  })
  const service = await serve(demo.memory, 0)
  return {
    url: service.url,
    demo,
    close: async () => {
      demo.pause()
      await service.close(100)
      await demo.memory.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

export function serve(memory: Demo['memory'], port: number): Promise<Service> {
  return startService({
    memory,
    host: '127.0.0.1',
    port,
    tokens: [],
    allowedHosts: null,
    requireAudit: false,
    logger: pino({ level: 'silent' }),
  })
}

export function openBrowser(): Promise<Browser> {
  return chromium.connect(inject('browser'))
}

/** A page of the dashboard, and what went wrong on it. */
export class Visit {
  readonly page: Page
  private readonly wrong: string[] = []
  private readonly url: string

  private constructor(page: Page, url: string) {
    this.page = page
    this.url = url
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') this.wrong.push(message.text())
    })
    page.on('pageerror', (error) => this.wrong.push(String(error)))
    page.on('request', (request) => {
      if (new URL(request.url()).origin !== new URL(url).origin) this.wrong.push(`asked of elsewhere: ${request.url()}`)
    })
    page.on('requestfailed', (request) => {
      // A question that nobody waits for any more.
      if (request.failure()?.errorText !== 'net::ERR_ABORTED') this.wrong.push(`failed: ${request.url()}`)
    })
  }

  static async to(browser: Browser, url: string, view: string, options: BrowserContextOptions = {}): Promise<Visit> {
    const context = await browser.newContext({
      viewport: { width: 1280, height: 860 },
      // Curves and dialogs are there at once: nothing to wait for.
      reducedMotion: 'reduce',
      ...options,
    })
    const visit = new Visit(await context.newPage(), url)
    await visit.page.goto(`${url}/#/${view}`)
    return visit
  }

  async go(view: string): Promise<void> {
    await this.page.goto(`${this.url}/#/${view}`)
  }

  /** What is read out and what is operated works for those who see otherwise or not: nothing serious by axe. */
  async beAccessible(): Promise<void> {
    await this.page.evaluate(axe.source)
    const found = (await this.page.evaluate(
      `axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })
        .then(({ violations }) => violations
          .map(({ id, impact, nodes }) => id + ' (' + impact + '): ' + nodes.map((node) => node.html + ' ' + node.failureSummary).join('\\n')))`,
    )) as string[]
    expect(found).toEqual([])
  }

  /** Nothing failed, nothing was blocked, nothing was asked of another origin. */
  endWell(...expected: readonly RegExp[]): Promise<void> {
    expect(this.wrong.filter((text) => !expected.some((one) => one.test(text)))).toEqual([])
    return this.page.context().close()
  }
}
