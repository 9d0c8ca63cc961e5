import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import packaged from '@sparticuz/chromium'
import { type BrowserServer, chromium } from 'playwright-core'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  interface ProvidedContext {
    /** Where the browser listens. */
    browser: string
  }
}

const MODULES = fileURLToPath(new URL('../../node_modules/', import.meta.url))
const CACHE = join(MODULES, '.cache')

let server: BrowserServer | null = null

/** A real Chromium: the one that is in an npm package, where that runs; elsewhere a Chrome that is there. */
export async function setup(project: TestProject): Promise<void> {
  const isPackaged = process.platform === 'linux' && process.arch === 'x64'
  server = await chromium.launchServer(isPackaged ? await fromPackage() : { channel: 'chrome', headless: true })
  project.provide('browser', server.wsEndpoint())
}

/** With the package's own libraries (NSS and others) and fonts: nothing of it needs to be installed on the machine. */
async function fromPackage() {
  const folder = await unpacked()
  const { LD_LIBRARY_PATH: others } = process.env
  const own = join(folder, 'al2023', 'lib')
  return {
    executablePath: join(folder, 'chromium'),
    // Its own arguments are for a function in a cloud: one process, which ends with its first page.
    args: ['--no-sandbox', '--disable-gpu'],
    headless: true,
    env: {
      ...process.env,
      LD_LIBRARY_PATH: others === undefined ? own : `${own}${delimiter}${others}`,
      // Its own fonts have letters alone: the machine's are better, where it has any.
      ...(existsSync('/etc/fonts/fonts.conf') ? {} : { FONTCONFIG_PATH: join(folder, 'fonts') }),
    },
  }
}

/**
 * Where the package is unpacked, once for each version. By itself it unpacks to the machine's folder for temporary files,
 * takes what it finds there, and its libraries only where it believes to be in a cloud.
 */
async function unpacked(): Promise<string> {
  const { version } = JSON.parse(readFileSync(join(MODULES, '@sparticuz/chromium/package.json'), 'utf8')) as {
    version: string
  }
  const folder = join(CACHE, `chromium-${version}`)
  if (existsSync(folder)) return folder
  mkdirSync(CACHE, { recursive: true })
  const making = mkdtempSync(join(CACHE, 'chromium-'))
  const { TMPDIR, AWS_EXECUTION_ENV } = process.env
  Object.assign(process.env, { TMPDIR: making, AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs22.x' })
  try {
    await packaged.executablePath()
  } finally {
    restore('TMPDIR', TMPDIR)
    restore('AWS_EXECUTION_ENV', AWS_EXECUTION_ENV)
  }
  try {
    renameSync(making, folder)
  } catch {
    // Another run was there first.
    rmSync(making, { recursive: true, force: true })
  }
  return folder
}

function restore(name: string, value: string | undefined): void {
  if (value === undefined) delete process.env[name]
  else process.env[name] = value
}

export async function teardown(): Promise<void> {
  await server?.close()
}
