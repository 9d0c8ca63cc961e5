import { type Crash, Demo } from './demo.ts'

/* A process of the demonstration that is killed in the middle of its work, as by whoever runs out of memory. */

// Nobody waits for it any more.
process.on('disconnect', () => process.exit())
process.once('message', async (crash: Crash) => {
  await Demo.beginToCrash(crash)
  process.kill(process.pid, 'SIGKILL')
})
