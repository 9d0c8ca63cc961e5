import packaged from '@sparticuz/chromium'
import { type BrowserServer, chromium } from 'playwright-core'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  interface ProvidedContext {
    /** Where the browser listens. */
    browser: string
  }
}

let server: BrowserServer

/** A real Chromium: the one that is in an npm package, where that runs; elsewhere a Chrome that is there. */
export async function setup(project: TestProject): Promise<void> {
  const isPackaged = process.platform === 'linux' && process.arch === 'x64'
  server = await chromium.launchServer(
    isPackaged
      ? // Its own arguments are for a function in a cloud: one process, which ends with its first page.
        { executablePath: await packaged.executablePath(), args: ['--no-sandbox', '--disable-gpu'], headless: true }
      : { channel: 'chrome', headless: true },
  )
  project.provide('browser', server.wsEndpoint())
}

export async function teardown(): Promise<void> {
  await server.close()
}
