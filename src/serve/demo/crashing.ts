import { type Crash, Demo } from './demo.ts'

/* A process of the demonstration that is killed in the middle of its work, as by whoever runs out of memory. */

// Nobody waits for it any more.
process.on('disconnect', () => process.exit())
process.once('message', (crash: Crash) => {
  // What keeps it from its work keeps the next one, too, and that says so.
  Demo.beginToCrash(crash).then(
    () => process.kill(process.pid, 'SIGKILL'),
    () => process.exit(1),
  )
})
