import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { MemoryManager } from '../../muninn.ts'
import { Demo, PAST } from '../demo/demo.ts'
import type { Service } from '../http/server.ts'
import type { ServedOptions } from './serve.ts'

/** Two demonstrations differ in nothing but the time of day. */
const SEED = 20_260_131
/** What is being answered when the old version ends has this long. */
const GRACE = 1000

/** A demonstration that is served; it starts anew by itself now and then, as a deploy has it. */
export interface ServedDemo {
  readonly url: string
  readonly db: string
  readonly memory: MemoryManager
  close(): Promise<void>
}

/** Makes a past, serves it, and goes on living; `start` serves a manager, on the port of before once it had one. */
export async function serveDemo(
  options: ServedOptions,
  start: (memory: MemoryManager, port: number | null) => Promise<Service>,
  keep: boolean,
): Promise<ServedDemo> {
  const folder = keep ? null : mkdtempSync(join(tmpdir(), 'muninn-demo-'))
  const audit = { ...options.audit, path: folder === null ? options.audit.path : join(folder, 'muninn.db') }
  const demo = await Demo.begin({ seed: SEED, past: PAST, memory: { ...options, audit } })
  let service = await start(demo.memory, null)
  const { url } = service
  const port = Number(new URL(url).port)
  let deploying = Promise.resolve()
  const deploy = async () => {
    await service.close(GRACE)
    await demo.redeploy()
    service = await start(demo.memory, port)
  }
  demo.play(() => {
    deploying = deploy()
    return deploying
  })
  return {
    url,
    db: audit.path,
    memory: demo.memory,
    close: async () => {
      await deploying
      demo.pause()
      await service.close(GRACE)
      await demo.memory.close()
      if (folder !== null) rmSync(folder, { recursive: true, force: true })
    },
  }
}
