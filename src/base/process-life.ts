import { readFileSync } from 'node:fs'

/** How much younger than its supposed start a process must be to count as another: less may be a step of the wall clock. */
const YOUNGER = 60_000
/** Ticks a second in which Linux counts; the same everywhere since 2.6. */
const TICKS = 100

/**
 * Whether the process that had this pid on this host since `startedAt` (epoch ms) still lives. In a container every
 * process has pid 1: a pid that lives isn't enough.
 */
export function isAlive(pid: number, startedAt: number): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    // Somebody else's process lives, too.
    if (!(error instanceof Error && 'code' in error && error.code === 'EPERM')) return false
  }
  const age = processAge(pid)
  return age === null || age > Date.now() - startedAt - YOUNGER
}

/** ms since a process started; `null` where the system doesn't tell (it does on Linux). */
function processAge(pid: number): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The second field is a name in parentheses, and may hold anything; the start is the 20th after it.
    const started = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]) / TICKS
    const up = Number.parseFloat(readFileSync('/proc/uptime', 'utf8'))
    return Number.isFinite(up - started) ? (up - started) * 1000 : null
  } catch {
    return null
  }
}
