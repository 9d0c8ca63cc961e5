import { execFile } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

/* What ships: the package is packed, installed into empty folders and used there as a stranger would. */

const root = fileURLToPath(new URL('../..', import.meta.url))
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const require = createRequire(import.meta.url)

const work = mkdtempSync(join(tmpdir(), 'muninn-smoke-'))
/** Everything installed, as `npm install muninn-cache` does. */
const full = join(work, 'full')
/** Without the optional dependencies. */
const bare = join(work, 'bare')
let tarball = ''

interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Without what `npm run` and the test runner put there, which would lead npm back into the checkout. */
const environment = Object.fromEntries(
  Object.entries(process.env).filter(
    ([name]) =>
      !/^(npm_(?!config_)|npm_config_local_prefix$|INIT_CWD$|NODE_ENV$|NODE_OPTIONS$|VITEST|MUNINN_|CACHE_)/.test(name),
  ),
)

function run(folder: string, command: string, ...args: string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(command, args, { cwd: folder, env: environment, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1
      resolve({ code, stdout, stderr: error !== null && code === -1 ? `${error.message}\n${stderr}` : stderr })
    })
  })
}

/** Runs a command that must succeed; where it fails, the test shows all that it said. */
async function ok(folder: string, command: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(folder, command, ...args)
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}\n${stdout}\n${stderr}`)
  return stdout
}

/** `npx` without leave to fetch: the name `muninn` on npm is somebody else's. */
const cli = (...args: string[]) => ok(full, 'npx', '--no', '--', ...args)

async function install(folder: string, ...flags: string[]): Promise<void> {
  mkdirSync(folder)
  const own = { name: 'consumer', private: true, type: 'module', allowScripts: { 'better-sqlite3': true } }
  writeFileSync(join(folder, 'package.json'), JSON.stringify(own))
  await ok(folder, 'npm', 'install', ...flags, tarball)
  cpSync(join(root, 'scripts/consumer'), folder, { recursive: true })
}

beforeAll(async () => {
  await ok(root, 'npm', 'pack', '--pack-destination', work)
  tarball = join(work, readdirSync(work).find((name) => name.endsWith('.tgz')) as string)
  await install(bare, '--omit=optional')
  await install(full)
})

afterAll(() => rmSync(work, { recursive: true, force: true }))

describe('the packed package', () => {
  const installed = join(full, 'node_modules/muninn-cache')
  const files = () => readdirSync(installed, { recursive: true, encoding: 'utf8' })

  it('holds what it needs and nothing else', () => {
    const present = files().filter((file) => !file.startsWith('node_modules'))
    for (const file of [
      'LICENSE',
      'README.md',
      'CHANGELOG.md',
      'dist/persist/writer-worker.js',
      'dist/query/reader-worker.js',
    ]) {
      expect(present).toContain(file)
    }
    expect(present.filter((file) => /^migrations\/\d{4}_.+\.sql$/.test(file))).not.toEqual([])
    expect(present.filter((file) => /^(src|test|scripts|data)\b|tsbuildinfo|\.map$/.test(file))).toEqual([])
  })

  it('holds no build of a source that is gone (else: remove dist and build)', () => {
    // These folders are emptied with each build.
    const built = files().filter((file) => /^dist\/(?!dashboard\/|bundled\/).*(?<!\.d)\.(js|ts)$/.test(file))
    const stale = built.filter((file) => !existsSync(join(root, file.replace(/^dist/, 'src').replace(/\.js$/, '.ts'))))
    expect(built).not.toEqual([])
    expect(stale).toEqual([])
  })

  it('exports only files that it holds', () => {
    const targets = Object.values(manifest.exports).flatMap((target) =>
      typeof target === 'string' ? [target] : Object.values(target as Record<string, string>),
    )
    expect(targets.filter((target) => !existsSync(join(installed, target)))).toEqual([])
  })

  it('satisfies publint', async () => {
    const { messages, pkg } = await publint({ pkgDir: installed, pack: false, strict: true })
    expect(messages.map((message) => formatMessage(message, pkg))).toEqual([])
  })

  it('satisfies are-the-types-wrong', async () => {
    const attw = join(require.resolve('@arethetypeswrong/cli/package.json'), '../dist/index.js')
    await ok(work, process.execPath, attw, tarball, '--profile', 'esm-only', '--no-emoji', '--no-color')
  })
})

describe('a program that installed it', () => {
  it('imports and uses the cache without loading anything optional', async () => {
    const { size, packages } = JSON.parse(await ok(full, process.execPath, 'loaded.mjs'))
    expect(size).toBe(2)
    expect(packages).toContain('muninn-cache')
    expect(packages.filter((name: string) => Object.hasOwn(manifest.optionalDependencies, name))).toEqual([])
  })

  it('imports every subpath', async () => {
    for (const subpath of Object.keys(manifest.exports).filter((name) => name !== './package.json')) {
      const specifier = subpath.replace(/^\./, 'muninn-cache')
      const script = `console.log(Object.keys(await import('${specifier}')).length)`
      const names = await ok(full, process.execPath, '--input-type=module', '--eval', script)
      expect(Number(names), specifier).toBeGreaterThan(0)
    }
  })

  it('type-checks under strict rules, declarations of the package included', async () => {
    mkdirSync(join(full, 'node_modules/@types'), { recursive: true })
    symlinkSync(join(root, 'node_modules/@types/node'), join(full, 'node_modules/@types/node'))
    const compilerOptions = {
      target: 'es2023',
      module: 'nodenext',
      strict: true,
      exactOptionalPropertyTypes: true,
      skipLibCheck: false,
      noEmit: true,
      types: ['node'],
    }
    writeFileSync(join(full, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['types.ts'] }))
    const tsc = join(require.resolve('typescript/package.json'), '../bin/tsc')
    const { stdout } = await run(full, process.execPath, tsc, '--pretty', 'false')
    const errors = stdout.split('\n').filter((line) => line.includes('error TS'))
    const others = /^(\.\.\/)*(\S*\/)?node_modules\/(?!muninn-cache\/)/
    expect(errors.filter((line) => !others.test(line))).toEqual([])
  })
})

describe('the command line', () => {
  it('answers under both names', async () => {
    expect((await cli('muninn', '--version')).trim()).toBe(manifest.version)
    expect((await cli('muninn-cache', '--version')).trim()).toBe(manifest.version)
    const help = await cli('muninn-cache', '--help')
    for (const command of ['evictions', 'explain', 'replay', 'serve']) expect(help).toContain(`  ${command} `)
  })

  it('lists from the audit log what a program evicted', async () => {
    expect(JSON.parse(await ok(full, process.execPath, 'run.mjs'))).toEqual({ size: 10 })
    const page = JSON.parse(await cli('muninn', 'evictions', '--db', 'audit.db', '--json'))
    const evicted = page.items.map(({ key, cause }: { key: string; cause: string }) => `${key} ${cause}`)
    const expected = Array.from({ length: 15 }, (_, index) => `customer:${index + 1} items`)
    expect(evicted.sort()).toEqual(expected.sort())
    expect(page).toMatchObject({ next: null, incomplete: null })
  })
})

describe('without the optional dependencies', () => {
  it('the cache works', async () => {
    expect(JSON.parse(await ok(bare, process.execPath, 'loaded.mjs'))).toMatchObject({ size: 2 })
  })

  it('an audit log and the command line name the command that installs what is missing', async () => {
    const audited = await run(bare, process.execPath, 'run.mjs')
    expect(audited.code).not.toBe(0)
    expect(audited.stderr).toContain('ERR_MUNINN_MISSING_DEPENDENCY')
    expect(audited.stderr).toContain('npm install better-sqlite3')
    const asked = await run(bare, 'npx', '--no', '--', 'muninn', '--help')
    expect(asked.code).not.toBe(0)
    expect(asked.stderr).toContain('npm install')
  })
})
