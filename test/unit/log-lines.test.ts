import { pino } from 'pino'
import { describe, expect, test, vi } from 'vitest'
import { MemoryManager } from '../../src/muninn.ts'
import { terminalLog } from '../../src/serve/cli/terminal-log.ts'

/** What pino wrote while a cache ran through levels, cycles and checks, and refused and lost entries. */
async function linesOf(): Promise<string[]> {
  const lines: string[] = []
  const logger = pino({ level: 'debug' }, { write: (line: string) => lines.push(line.trimEnd()) })
  const memory = new MemoryManager({
    maxMemory: 100,
    checkInterval: 0,
    clock: { now: () => 1_000_000 },
    seed: 1,
    pressure: false,
    logger,
  })
  const cache = memory.cache('c')
  for (let i = 0; i < 20; i++) cache.set(`user:${i}`, i, { size: 10 })
  cache.set('large', 1, { size: 99 })
  memory.on('added', () => {
    throw new Error('a broken subscriber')
  })
  cache.set('user:0', 1, { size: 1 })
  memory.check()
  await memory.close()
  return lines
}

describe('a line of the log', () => {
  // The alert level was a field `level`, and JSON with two of them has the last: pino's was hidden from whoever reads it.
  test("has pino's level, time, pid, hostname and msg, and no second field of the same name", async () => {
    const lines = await linesOf()
    const told = lines.map((line) => JSON.parse(line) as Record<string, unknown>)
    for (const [i, line] of told.entries()) {
      expect(line, lines[i]).toMatchObject({
        level: expect.any(Number),
        time: expect.any(Number),
        pid: process.pid,
        hostname: expect.any(String),
        msg: expect.any(String),
      })
    }
    const at = (msg: RegExp) => told.filter((line) => msg.test(String(line.msg)))
    expect(at(/^memory warning: /)[0]).toMatchObject({ level: 40, alert_level: 'warning' })
    expect(at(/^memory usage: /)[0]).toMatchObject({ level: 20, alert_level: 'emergency' })
    expect(at(/^eviction cycle (started|completed)/)[0]).toMatchObject({ level: 30 })
  })

  test('at a terminal keeps the lines of a table, each indented, and escapes what is in a line', () => {
    const written: string[] = []
    const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => written.push(String(text)) > 0)
    try {
      terminalLog.write('{"level":30,"time":0,"msg":"a table\\n  one \\u001b[31m\\n12:00:00 ERROR forged","max":7}\n')
    } finally {
      write.mockRestore()
    }
    expect(written.join('').replace(/^[\d:]{8}/, 'TIME')).toBe(
      'TIME INFO  a table max=7\n    one \\x1b[31m\n  12:00:00 ERROR forged\n',
    )
  })
})
