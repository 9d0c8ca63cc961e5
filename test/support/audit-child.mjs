// A process that keeps an audit log and then ends in the way that its third argument says.
import { hostname } from 'node:os'
import process from 'node:process'
import { resolveAudit } from '../../dist/base/audit-options.js'
import { AuditLog } from '../../dist/persist/audit-log.js'

const [, , path, run, ending] = process.argv
const silent = { debug() {}, info() {}, warn() {}, error() {} }
const log = AuditLog.open(resolveAudit({ path, flushInterval: 5 }, null), silent)
let seq = 0
const record = (type, fields) => log.record({ seq: ++seq, at: Date.now(), type, ...fields })
const left = { age: 1, hits: 0, size: 10 }
log.onExit = (code, error) => record('stopped', { reason: 'exit', code, error })

record('started', {
  runId: run,
  version: '0.0.0',
  seed: 1,
  settings: { caches: {} },
  host: hostname(),
  pid: process.pid,
  node: process.version,
  mayUse: { bytes: 1, source: 'test', sources: [] },
})
for (let i = 0; i < 1_000; i++) record('expired', { cache: 'tenant', key: `k${i}`, ...left, idle: 0 })
record('peaked', { metric: 'bytes', value: 4_321, previous: 0, peakedAt: 5 })

if (ending === 'linger') {
  await log.flush()
  process.stdout.write('on disk\n')
  setInterval(() => {}, 1_000)
} else if (ending === 'throw') {
  throw new Error('ends without a catch')
} else if (ending !== 'idle') {
  process.exit(Number(ending))
}
