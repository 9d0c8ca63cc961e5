// A process that opens an audit log for writing, once or, with a checkpoint each time, for ever; somebody kills it.
import process from 'node:process'
import { openForWriting } from '../../dist/persist/database.js'

const [, , path, what] = process.argv

process.stdout.write('opening\n')
const database = openForWriting(path, 5_000)
process.stdout.write('open\n')
while (what === 'checkpoints') {
  try {
    database.pragma('wal_checkpoint(TRUNCATE)')
  } catch {
    // A writer was quicker.
  }
}
database.close()
