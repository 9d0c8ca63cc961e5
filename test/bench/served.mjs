// What the measurements of the service share: services in processes of their own, and listeners to their events.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../../dist/serve/cli/main.js', import.meta.url))

export const body = JSON.stringify({
  tenant: 'acme',
  rows: Array.from({ length: 24 }, (_, id) => ({ id, name: `row ${id}` })),
})
export const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]
export const number = (value) => Math.round(value).toLocaleString('en')

/** A process, from its spawn to the first document on its standard output. */
export async function start(args, env = {}) {
  const begun = performance.now()
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'], env: { ...process.env, ...env } })
  let text = ''
  await new Promise((resolve, reject) => {
    child.once('exit', reject)
    child.stdout.on('data', (chunk) => {
      text += chunk
      if (text.endsWith('}\n')) resolve()
    })
  })
  return { child, url: JSON.parse(text).url, begun, took: performance.now() - begun }
}

export const serve = (database, env) =>
  start([MAIN, 'serve', '--json', '--port', '0', '--db', database], { MUNINN_LOG_LEVEL: 'warn', ...env })

export async function stop({ child }) {
  child.kill('SIGTERM')
  if (child.exitCode === null) await once(child, 'exit')
}

export async function json(url, options) {
  return (await fetch(url, options)).json()
}

/** Connections that listen, and count what they are told. */
export async function listeners(url, count, query) {
  const agent = new Agent({ maxSockets: Number.POSITIVE_INFINITY })
  const told = { events: 0, missed: 0, failed: 0 }
  let isClosed = false
  const open = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise((resolve, reject) => {
          const sent = request(`${url}/api/events${query}`, { agent }, (response) => {
            response.on('data', (chunk) => {
              const text = chunk.toString()
              told.events += text.split('\nid: ').length - 1 + (text.startsWith('id: ') ? 1 : 0)
              if (text.includes('stream-missed')) told.missed++
              resolve(sent)
            })
            response.on('close', () => {
              if (!isClosed) told.failed++
            })
            response.on('error', () => {})
          })
          sent.on('error', reject)
          sent.end()
        }),
    ),
  )
  return {
    told,
    close: () => {
      isClosed = true
      for (const sent of open) {
        sent.on('error', () => {})
        sent.destroy()
      }
    },
  }
}
