import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const MAIN = fileURLToPath(new URL('../../dist/serve/cli/main.js', import.meta.url))

/** What is not needed before it listens, with what its loading took there of some 360 ms of processor time, in all. */
const LATER: readonly string[] = [
  '/node_modules/typebox/', // 120 ms: the build makes one file of it
  '/node_modules/rxjs/dist/cjs/index.js', // 60 ms
  '/node_modules/ajv/', // 40 ms: fastify's own compilers
  '/node_modules/fast-json-stringify-compiler/',
  '/node_modules/@fastify/swagger/',
  '/node_modules/@fastify/send/',
  '/node_modules/glob/', // 30 ms
  '/node_modules/@fastify/type-provider-typebox/',
  '/node_modules/prom-client/', // 40 ms
  '/dist/replay/',
  '/dist/serve/demo/workload.js',
]

/** A service that listens on a free port, in a process of its own. */
async function start(folder: string, env: Readonly<Record<string, string>> = {}) {
  const args = [MAIN, 'serve', '--json', '--port', '0', '--db', join(folder, 'muninn.db')]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'], env: { ...process.env, ...env } })
  const [text] = (await once(child.stdout, 'data')) as [Buffer]
  const { url } = JSON.parse(text.toString()) as { url: string }
  const stop = async () => {
    child.kill('SIGTERM')
    await once(child, 'exit')
  }
  return { url, stop }
}

test('a start loads nothing that it can do without, and says how long it took', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'muninn-start-'))
  const begun = performance.now()
  // At the end it writes down every script that ran.
  const { url, stop } = await start(folder, { NODE_V8_COVERAGE: join(folder, 'ran') })
  expect((await fetch(`${url}/livez`)).status).toBe(200)
  process.stdout.write(`from spawn to the first answer: ${Math.round(performance.now() - begun)} ms\n`)
  await stop()
  const scripts = readdirSync(join(folder, 'ran')).flatMap((name) => {
    const report = JSON.parse(readFileSync(join(folder, 'ran', name), 'utf8')) as { result: { url: string }[] }
    return report.result.map((script) => script.url)
  })
  expect(scripts.some((script) => script.endsWith('/dist/serve/http/server.js'))).toBe(true)
  expect(scripts.filter((script) => LATER.some((part) => script.includes(part)))).toEqual([])
  rmSync(folder, { recursive: true, force: true })
})

test('the very first request is checked as every other, and its query read as its types say', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'muninn-start-'))
  const { url, stop } = await start(folder)
  // All of them are on their way before what checks them has been loaded.
  const answers = await Promise.all([
    fetch(`${url}/api/cache/general/items?limit=many`),
    fetch(`${url}/api/audit/evictions?colour=red`),
    fetch(`${url}/api/cache/memory/settings`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ colour: 'red' }),
    }),
    fetch(`${url}/api/cache/general/items?limit=1&reverse=false`),
  ])
  expect(answers.map(({ status }) => status)).toEqual([400, 400, 400, 200])
  expect(await answers[2]?.json()).toMatchObject({ errors: [{ field: 'colour' }] })
  await stop()
  rmSync(folder, { recursive: true, force: true })
})
