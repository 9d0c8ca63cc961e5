import { request } from 'node:http'
import { Command } from 'commander'
import { serviceFromEnv } from '../environment.ts'
import { EXIT, print, printJson, usageError } from './output.ts'

/** ms: a service that takes longer is not well. */
const PATIENCE = 3_000

interface HealthOptions {
  readonly host?: string
  readonly port?: string
  readonly ready?: boolean
  readonly json?: boolean
}

interface Health {
  readonly status: string
}

/** `muninn health`: whether a service is well, for images without curl. */
export function healthCommand(): Command {
  return new Command('health')
    .description('whether a running service is well: exit code 0 (trouble with its audit log included), else 1')
    .option('--host <address>', 'where it listens (default: MUNINN_HOST, else 127.0.0.1)')
    .option('--port <port>', 'and on which port (default: MUNINN_PORT, else 8080)')
    .option('--ready', 'whether it takes requests: 1 also while it drains')
    .option('--json', 'its answer as one JSON document on stdout')
    .action(health)
}

async function health(flags: HealthOptions): Promise<void> {
  const env = serviceFromEnv(process.env)
  const port = flags.port ?? String(env.port)
  if (!/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65_535)
    throw usageError(`--port ${port}: give a port from 1 to 65535`)
  const { code, answer } = await ask({
    host: reachable(flags.host ?? env.host),
    port: Number(port),
    path: flags.ready === true ? '/readyz' : '/healthz',
    // Beyond loopback it may be told which names it has.
    ...(env.allowedHosts?.[0] === undefined ? {} : { headers: { host: env.allowedHosts[0] } }),
  })
  if (flags.json === true) printJson(answer)
  else print(answer.status)
  if (code !== 200) process.exitCode = EXIT.no
}

/** One that listens on every address listens on this one, too. */
function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1'
  return host === '::' ? '::1' : host
}

/** @throws {Error} in one line, where nothing answers in time, or what answers is no Muninn. */
function ask(target: { host: string; port: number; path: string; headers?: Record<string, string> }) {
  return new Promise<{ code: number; answer: Health }>((resolve, reject) => {
    const fail = (problem: string) =>
      reject(Object.assign(new Error(`${target.host}, port ${target.port}: ${problem}`), { code: 'ERR_MUNINN_HEALTH' }))
    const sent = request({ ...target, signal: AbortSignal.timeout(PATIENCE) }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        text += chunk
      })
      response.on('error', (error) => fail(error.message))
      response.on('end', () => {
        const answer = healthIn(text)
        if (answer === null) fail(`answers ${response.statusCode}, but not as a Muninn service that is well`)
        else resolve({ code: response.statusCode ?? 0, answer })
      })
    })
    sent.on('error', (error) => fail(error.name === 'AbortError' ? `no answer within ${PATIENCE} ms` : error.message))
    sent.end()
  })
}

function healthIn(text: string): Health | null {
  try {
    const answer: unknown = JSON.parse(text)
    const isHealth =
      typeof answer === 'object' && answer !== null && 'status' in answer && typeof answer.status === 'string'
    return isHealth ? (answer as Health) : null
  } catch {
    return null
  }
}
