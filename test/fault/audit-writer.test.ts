import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import type { Started } from '../../src/event/catalogue.ts'
import { type Batch, type RunHeader, runHeader } from '../../src/persist/batch.ts'
import { Outbox } from '../../src/persist/outbox.ts'
import { writeRest } from '../../src/persist/rest.ts'
import { Writer } from '../../src/persist/writer.ts'
import { AuditFolder, auditSettings } from '../support/audit-file.ts'
import { Run } from '../support/events.ts'

function batchesOf(rounds: number): { header: RunHeader; batches: Batch[] } {
  const run = new Run('one')
  const outbox = new Outbox()
  const started = run.started() as Started
  outbox.add(started)
  const batches: Batch[] = []
  for (let i = 0; i < rounds; i++) {
    outbox.add(run.event('evicted', { size: 10 }))
    if (i === rounds - 1) outbox.add(run.event('stopped', { reason: 'exit', code: 1, error: 'RangeError' }))
    const batch = outbox.cut()
    if (batch !== null) batches.push(batch)
  }
  return { header: runHeader(started, auditSettings()), batches }
}

const CHILD = fileURLToPath(new URL('../support/audit-child.mjs', import.meta.url))
/** Says how many ms passed from the first `exit` listener to the end. */
const TIMED_EXIT = `data:text/javascript,${encodeURIComponent(`
  import { writeSync } from 'node:fs'
  let began = 0
  process.on('exit', () => { began = performance.now() })
  const exit = process.reallyExit
  process.reallyExit = (code) => {
    writeSync(1, String(performance.now() - began))
    exit.call(process, code)
  }
`)}`

describe('the writer', () => {
  test('writes a batch once, however often and by whomever it is sent', () => {
    using files = new AuditFolder()
    const { header, batches } = batchesOf(3)
    for (let sender = 0; sender < 2; sender++) {
      const writer = new Writer(files.path(), header, 100)
      for (const batch of [...batches, ...batches]) writer.write(batch)
      writer.close()
    }
    expect(files.rows('select evicted_items as n, evicted_bytes as bytes, last_seq from runs')).toEqual([
      { n: 3, bytes: 30, last_seq: 5 },
    ])
    expect(files.rows('select seq from evictions')).toEqual([{ seq: 2 }, { seq: 3 }, { seq: 4 }])
  })

  test('at exit makes a gap of what there is no time for, and still says how the run ended, and by what', () => {
    using files = new AuditFolder()
    const { header, batches } = batchesOf(4)
    writeRest(files.path(), header, batches, performance.now() + 1)
    expect(files.rows('select first_seq, last_seq, lost, reason from gaps')).toEqual([
      { first_seq: 3, last_seq: 4, lost: 2, reason: 'exit' },
    ])
    expect(files.rows('select evicted_items as n, lost_events as lost, stop_reason, exit_code from runs')).toEqual([
      { n: 4, lost: 2, stop_reason: 'exit', exit_code: 1 },
    ])
    expect(files.rows('select seq from evictions')).toEqual([{ seq: 2 }, { seq: 5 }])
    expect(files.rows(`select seq, data ->> 'error' as error from events where type = 'stopped'`)).toEqual([
      { seq: 6, error: 'RangeError' },
    ])
  })

  test('keeps a process that exits for a second at most, where another holds the lock', async () => {
    using files = new AuditFolder()
    const { header, batches } = batchesOf(1)
    const writer = new Writer(files.path(), header, 100)
    for (const batch of batches) writer.write(batch)
    writer.close()
    const other = files.connect()
    other.exec('begin immediate')
    const child = spawn(process.execPath, ['--import', TIMED_EXIT, CHILD, files.path(), 'child', '0'])
    child.stdout.setEncoding('utf8')
    const [[took], [code, signal]] = await Promise.all([once(child.stdout, 'data'), once(child, 'exit')])
    expect({ code, signal }).toEqual({ code: 0, signal: null })
    expect(Number(took)).toBeLessThan(1_200)
    other.exec('rollback')
    other.close()
    expect(files.rows('select run from runs')).toEqual([{ run: 'one' }])
  })
})
