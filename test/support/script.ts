import { spawn } from 'node:child_process'
import { once } from 'node:events'

/** The built package: what ships is what a process of its own runs. */
const BUILT = new URL('../../dist/muninn.js', import.meta.url).href
/** A script that hasn't ended by then, in ms, hangs. */
const PATIENCE = 20_000

export interface ScriptEnd {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly out: string
  readonly err: string
}

/** Runs an ES module in a process of its own, with all of the built package in scope as `muninn`. */
export async function runScript(source: string, execArgv: readonly string[] = []): Promise<ScriptEnd> {
  const module = `import * as muninn from ${JSON.stringify(BUILT)}\n${source}`
  const child = spawn(process.execPath, [...execArgv, '--input-type=module', '--eval', module], {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: PATIENCE,
    killSignal: 'SIGKILL',
  })
  const [out, err] = [child.stdout, child.stderr].map((stream) => {
    const parts: Buffer[] = []
    stream.on('data', (part: Buffer) => parts.push(part))
    return parts
  }) as [Buffer[], Buffer[]]
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  return { code, signal, out: Buffer.concat(out).toString(), err: Buffer.concat(err).toString() }
}
