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
  '/node_modules/@fastify/type-provider-typebox/',
  '/node_modules/prom-client/', // 40 ms
  '/dist/replay/',
  '/dist/serve/demo/workload.js',
]

test('a start loads nothing that it can do without, and says how long it took', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'muninn-start-'))
  const args = [MAIN, 'serve', '--json', '--port', '0', '--db', join(folder, 'muninn.db')]
  const begun = performance.now()
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'ignore'],
    // At the end it writes down every script that ran.
    env: { ...process.env, NODE_V8_COVERAGE: join(folder, 'ran') },
  })
  const [text] = (await once(child.stdout, 'data')) as [Buffer]
  const { url } = JSON.parse(text.toString()) as { url: string }
  expect((await fetch(`${url}/livez`)).status).toBe(200)
  process.stdout.write(`from spawn to the first answer: ${Math.round(performance.now() - begun)} ms\n`)
  child.kill('SIGTERM')
  await once(child, 'exit')
  const scripts = readdirSync(join(folder, 'ran')).flatMap((name) => {
    const report = JSON.parse(readFileSync(join(folder, 'ran', name), 'utf8')) as { result: { url: string }[] }
    return report.result.map((script) => script.url)
  })
  expect(scripts.some((script) => script.endsWith('/dist/serve/http/server.js'))).toBe(true)
  expect(scripts.filter((script) => LATER.some((part) => script.includes(part)))).toEqual([])
  rmSync(folder, { recursive: true, force: true })
})
