import { readdirSync, readFileSync } from 'node:fs'
import type { Database } from './driver.ts'

/** Two folders up, both from `src/persist` and from `dist/persist`. */
const FOLDER = new URL('../../migrations/', import.meta.url)
const NAME = /^(\d{4})_\w+\.sql$/

/** `PRAGMA application_id` of an audit log: 'Muni'. */
export const APPLICATION_ID = 0x4d756e69

interface Migration {
  readonly version: number
  readonly file: string
}

let known: readonly Migration[] | null = null

function migrations(): readonly Migration[] {
  known ??= readdirSync(FOLDER)
    .filter((file) => NAME.test(file))
    .sort()
    .map((file) => ({ version: Number(NAME.exec(file)?.[1]), file }))
  return known
}

/** The schema version that this code writes and reads. */
export function schemaVersion(): number {
  return migrations().at(-1)?.version ?? 0
}

/** The files that bring a database of this version to the present one. */
export function migrationsAfter(version: number): readonly URL[] {
  return migrations()
    .filter((migration) => migration.version > version)
    .map(({ file }) => new URL(file, FOLDER))
}

export function versionOf(database: Database): number {
  return Number(database.pragma('user_version', { simple: true }))
}

/** Brings a database to a schema version, in one transaction; others may be doing the same. */
export function migrate(database: Database, to = schemaVersion()): void {
  if (versionOf(database) >= to) return
  database
    .transaction(() => {
      const from = versionOf(database)
      for (const migration of migrations()) {
        if (migration.version <= from || migration.version > to) continue
        database.exec(readFileSync(new URL(migration.file, FOLDER), 'utf8'))
        database.pragma(`user_version = ${migration.version}`)
      }
      database.pragma(`application_id = ${APPLICATION_ID}`)
    })
    .immediate()
}
