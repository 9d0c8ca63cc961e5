import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type AuditOptions, type AuditSettings, resolveAudit } from '../../src/base/audit-options.ts'
import type { Logger } from '../../src/base/logger.ts'
import type { RedactionSettings } from '../../src/base/redaction.ts'
import { AuditLog } from '../../src/persist/audit-log.ts'
import type { Spawn } from '../../src/persist/delivery.ts'
import type { Database } from '../../src/persist/driver.ts'

const Driver = createRequire(import.meta.url)('better-sqlite3') as new (path: string, options?: object) => Database

/** The settings of a log, as options give them. */
export function auditSettings(
  options: Partial<AuditOptions> = {},
  redaction: RedactionSettings | null = null,
): AuditSettings {
  return resolveAudit({ path: 'any.db', flushInterval: 5, ...options }, redaction) as AuditSettings
}

/** A folder for one test's files, removed when the test ends. */
export class AuditFolder implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'muninn-audit-'))
  readonly said: { level: string; fields: object; message: string }[] = []

  path(name = 'muninn.db'): string {
    return join(this.folder, name)
  }

  /** A logger whose words the test can read. */
  readonly logger: Logger = {
    debug: (fields, message) => this.said.push({ level: 'debug', fields, message }),
    info: (fields, message) => this.said.push({ level: 'info', fields, message }),
    warn: (fields, message) => this.said.push({ level: 'warn', fields, message }),
    error: (fields, message) => this.said.push({ level: 'error', fields, message }),
  }

  open({
    spawn,
    redaction = null,
    ...options
  }: Partial<AuditOptions> & { spawn?: Spawn; redaction?: RedactionSettings | null } = {}): AuditLog {
    const settings = auditSettings({ path: this.path(), ...options }, redaction)
    return AuditLog.open(settings, this.logger, spawn === undefined ? {} : { spawn })
  }

  /** Rows of the log, read by a connection of the test's own. */
  rows<T = Record<string, unknown>>(sql: string, path = this.path()): T[] {
    const database = new Driver(path, { readonly: true })
    try {
      return database.prepare(sql).all() as T[]
    } finally {
      database.close()
    }
  }

  /** A connection that may write, for what a test does to the file behind the log's back. */
  connect(path = this.path()): Database {
    return new Driver(path)
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}
