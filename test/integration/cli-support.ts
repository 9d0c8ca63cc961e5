import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** The built command line: what ships is what is tested. */
const MAIN = fileURLToPath(new URL('../../dist/serve/cli/main.js', import.meta.url))

export interface Ran {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** A clean environment: the caller's own MUNINN_ and CACHE_ variables don't reach the command. */
function environment(env: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(CACHE|MUNINN)_/.test(name))
  return { ...Object.fromEntries(inherited), ...env }
}

/** Runs `muninn …` to its end. */
export async function muninn(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  cwd?: string,
): Promise<Ran> {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: environment(env),
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(cwd === undefined ? {} : { cwd }),
  })
  let out = ''
  let err = ''
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk.toString()
  })
  await once(child, 'close')
  return { code: child.exitCode, out, err }
}

export interface Serving {
  readonly child: ChildProcess
  readonly port: number
  readonly announced: { url: string; db: string; run: string; limits: Record<string, unknown> }
  /** Resolves with the first log line, past or to come, that has this message. */
  logged(message: string): Promise<Record<string, unknown>>
  /** Sends a signal and waits for the end. */
  end(signal: NodeJS.Signals): Promise<{ code: number | null; signal: NodeJS.Signals | null }>
}

/** `muninn serve --json` on a free port, once it has said where it listens; `within`: a command that runs it. */
export async function serve(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  within: readonly string[] = [],
): Promise<Serving> {
  const [command = process.execPath, ...rest] = [...within, process.execPath]
  const child = spawn(command, [...rest, MAIN, 'serve', '--json', '--port', '0', ...args], {
    env: environment(env),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  // A test that fails must not leave a service behind.
  process.once('exit', () => child.kill('SIGKILL'))
  const lines: Record<string, unknown>[] = []
  const waiting = new Map<string, (line: Record<string, unknown>) => void>()
  createInterface({ input: child.stderr }).on('line', (text) => {
    const line = JSON.parse(text) as Record<string, unknown>
    lines.push(line)
    waiting.get(String(line.msg))?.(line)
  })
  const announced = await new Promise<Serving['announced']>((resolve, reject) => {
    let text = ''
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      if (text.endsWith('}\n')) resolve(JSON.parse(text) as Serving['announced'])
    })
    child.once('exit', (code) => reject(new Error(`serve ended with ${code}: ${JSON.stringify(lines)}`)))
  })
  return {
    child,
    port: Number(new URL(announced.url).port),
    announced,
    logged: async (message) =>
      lines.find((line) => line.msg === message) ?? new Promise((resolve) => waiting.set(message, resolve)),
    end: async (signal) => {
      child.kill(signal)
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
      return { code: child.exitCode, signal: child.signalCode }
    },
  }
}
