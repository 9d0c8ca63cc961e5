// A process that opens an audit log for writing, once or, with a checkpoint each time, for ever; somebody kills it.
import process from 'node:process'
import { openForWriting } from '../../dist/persist/database.js'

const [, , path, what] = process.argv

process.stdout.write('opening\n')
const database = openForWriting(path, 5_000)
const parent = process.ppid
process.stdout.write('ready\n')
while (what === 'checkpoints' && process.ppid === parent) {
  try {
    database.pragma('wal_checkpoint(TRUNCATE)')
  } catch {
    // A writer was quicker.
  }
}
database.close()
