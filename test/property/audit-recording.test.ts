import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { POLICIES } from '../../src/base/settings.ts'
import type { MuninnEvent } from '../../src/event/catalogue.ts'
import { runHeader } from '../../src/persist/batch.ts'
import { Outbox } from '../../src/persist/outbox.ts'
import { openForReading } from '../../src/persist/reader.ts'
import { Writer } from '../../src/persist/writer.ts'
import { recording } from '../../src/query/recording.ts'
import { AuditFolder, auditSettings } from '../support/audit-file.ts'
import { pictureOf, refold, startedOf, stateOf } from '../support/fold-law.ts'
import { type Command, commandsOf, configOf } from '../support/manager-commands.ts'
import { ManagerWorld } from '../support/manager-world.ts'
import { stillTimers } from '../support/still-timers.ts'

const RUNS = process.env.MUNINN_NIGHT === '1' ? 20 : 1

stillTimers()

/** The clock of a generated run may jump by a century. */
const UNLIMITED = { maxAge: Number.POSITIVE_INFINITY }

/** Writes events at level `all`, in batches of so many, and reads them back. */
function throughFile(files: AuditFolder, events: readonly MuninnEvent[], ofBatch: number): MuninnEvent[] {
  const [started] = events
  if (started?.type !== 'started') throw new Error('a run begins with started')
  const writer = new Writer(
    files.path(),
    runHeader(started, auditSettings({ level: 'all', retention: UNLIMITED })),
    1_000,
  )
  const outbox = new Outbox()
  for (const [index, event] of events.entries()) {
    if (!outbox.add(event) && index % ofBatch > 0 && index < events.length - 1) continue
    const batch = outbox.cut()
    if (batch !== null) writer.write(batch)
    writer.upkeep()
  }
  writer.close()
  const database = openForReading(files.path(), 1_000)
  try {
    return [...recording(database, 1)]
  } finally {
    database.close()
  }
}

/** SQLite has no half characters: such keys are in the file as it shows them. */
function wellFormed(command: Command): Command {
  return 'key' in command ? { ...command, key: command.key.toWellFormed() } : command
}

describe.each(POLICIES)('a recording of a run under %s', (policy) => {
  const runs = configOf(policy).chain((config) =>
    fc.record({
      config: fc.constant(config),
      commands: commandsOf(config.sizing, 80),
      ofBatch: fc.constantFrom(1, 7, 1_000),
    }),
  )

  test('has every event as it was told, so that its fold is the live state', async () => {
    await fc.assert(
      fc.asyncProperty(runs, async ({ config, commands, ofBatch }) => {
        using files = new AuditFolder()
        const world = new ManagerWorld(config)
        for (const command of commands) world.run(wellFormed(command))
        const started = startedOf(world.memory)
        const told = [started, ...world.events]
        const read = throughFile(files, told, ofBatch)
        expect(read).toEqual(told)
        const [first, ...rest] = read
        expect(pictureOf(refold(first as typeof started, rest))).toEqual(pictureOf(stateOf(world.memory)))
        world.end()
      }),
      { seed: POLICIES.indexOf(policy) + 11, numRuns: 8 * RUNS },
    )
  })
})
