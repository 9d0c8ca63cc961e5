import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { openHistory } from '../../src/query/history.ts'
import { AuditFolder } from '../support/audit-file.ts'

const CHILD = fileURLToPath(new URL('../support/audit-child.mjs', import.meta.url))

function start(path: string, run: string, ending: string) {
  return spawn(process.execPath, [CHILD, path, run, ending], { stdio: ['ignore', 'pipe', 'ignore'] })
}

/** A run's state, as a reader that opens the file now sees it. */
async function openedState(files: AuditFolder, run: string): Promise<string | undefined> {
  const history = openHistory(files.path())
  const { items } = await history.runs({ run })
  await history.close()
  return items[0]?.state
}

/** Whatever way the child ends in, these rows are on disk, and these alone. */
const ROWS = `select (select count(*) from key_events) as keyed, (select count(*) from gaps) as gaps,
  (select sum(row_count) from batches) as batched, (select peak_bytes from runs) as peak`

describe('a process that ends', () => {
  test.each([
    ['0', 'closed', 0, 'no crash'],
    ['3', 'crashed', 3, 'exit code'],
    ['throw', 'crashed', 1, 'exception'],
    ['idle', 'closed', 0, 'no crash'],
  ] as const)(
    'by exit %s without close() leaves all it recorded, and a run that is %s',
    async (ending, state, code, verdict) => {
      using files = new AuditFolder()
      const [exitCode] = await once(start(files.path(), 'child', ending), 'exit')
      expect(exitCode).toBe(code)
      expect(files.rows(ROWS)).toEqual([{ keyed: 1_000, gaps: 0, batched: 1_003, peak: 4_321 }])
      const history = openHistory(files.path())
      const page = await history.runs()
      expect(page.items).toMatchObject([{ run: 'child', state, exitCode: code, lastSeq: 1_003 }])
      expect(page.incomplete).toBeNull()
      expect(await history.crash({ run: 'child' })).toMatchObject({ verdict, certainty: 'known' })
      await history.close()
    },
  )

  test.runIf(existsSync('/proc/self/stat'))(
    'and one that lives are told apart, also where the wall clock was set or another process got its pid',
    async () => {
      using files = new AuditFolder()
      const child = start(files.path(), 'living', 'linger')
      await once(child.stdout, 'data')
      const database = files.connect()
      expect(await openedState(files, 'living')).toBe('running')
      // As after a step forward by an hour: the process seems to be younger than it said.
      database.exec('update runs set process_started_at = process_started_at - 3600000')
      expect(await openedState(files, 'living')).toBe('running')
      // As a second manager of the process, begun after the step, would say.
      database.exec(`insert into runs select 2, 'later', level, started_at, version, node, host, pid, process_started_at + 3600000,
        seed, settings, may_use, 1, 'close', 0, last_seq, last_at, 0, 0, 0, 0, 0, null, 0, 0, redaction, redaction_secret,
        process_identity from runs`)
      expect(await openedState(files, 'living')).toBe('running')
      database.exec(`update runs set process_identity = process_identity || '1' where id = 1`)
      expect(await openedState(files, 'living')).toBe('crashed')
      database.close()
      child.kill('SIGKILL')
      await once(child, 'exit')
    },
  )

  test('by SIGKILL leaves what was on disk, a run that crashed, and answers that say so', async () => {
    using files = new AuditFolder()
    for (const run of ['first', 'second']) {
      const child = start(files.path(), run, 'linger')
      await once(child.stdout, 'data')
      const history = openHistory(files.path())
      expect((await history.runs({ run })).items).toMatchObject([{ run, state: 'running', stoppedAt: null }])
      expect((await history.runs({ run })).incomplete).toBeNull()
      child.kill('SIGKILL')
      await once(child, 'exit')
      const page = await history.runs({ run })
      expect(page.items).toMatchObject([{ run, state: 'crashed', stoppedAt: null, exitCode: null, lastSeq: 1_002 }])
      expect(page.incomplete).toMatch(/run \w+ ended without a word: what it did after seq 1002 at .* is missing/)
      expect((await history.peaks({ run })).items).toMatchObject([{ value: 4_321, at: 5 }])
      expect(await history.crash()).toMatchObject({ run: { run }, verdict: 'killed', gap: { afterSeq: 1002 } })
      await history.close()
    }
    const log = files.open()
    expect(log.earlier).toMatchObject({ runs: 2, peakMemoryBytes: 4_321, peakMemoryAt: 5 })
    await log.close()
  })
})
