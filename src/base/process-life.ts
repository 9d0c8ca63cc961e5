import { readFileSync } from 'node:fs'

/** How much younger than its supposed start a process must be to count as another: less may be a step of the wall clock. */
const YOUNGER = 60_000
/** Ticks a second in which Linux counts; the same everywhere since 2.6. */
const TICKS = 100

/** A process as a run knows its own, to find it again. */
export interface ProcessMark {
  readonly pid: number
  /** Epoch ms, by the wall clock of then. */
  readonly startedAt: number
  /** `null`: the system didn't tell. */
  readonly identity: string | null
}

/**
 * Whether a process of this host still lives. In a container every process has pid 1: a pid that lives isn't enough. Where
 * the system tells no identity, its age decides, which a step of the wall clock by over a minute puts wrong.
 */
export function isAlive({ pid, startedAt, identity }: ProcessMark): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    // Somebody else's process lives, too.
    if (!(error instanceof Error && 'code' in error && error.code === 'EPERM')) return false
  }
  const living = identity === null ? null : processIdentity(pid)
  if (living !== null) return living === identity
  const age = processAge(pid)
  return age === null || age > Date.now() - startedAt - YOUNGER
}

/** Which boot of the system a process belongs to, and when in it it began: no other has both. `null`: the system doesn't tell. */
export function processIdentity(pid: number): string | null {
  try {
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${startTicks(pid)}`
  } catch {
    return null
  }
}

/** ms since a process started; `null` where the system doesn't tell (it does on Linux). */
function processAge(pid: number): number | null {
  try {
    const up = Number.parseFloat(readFileSync('/proc/uptime', 'utf8'))
    const age = up - startTicks(pid) / TICKS
    return Number.isFinite(age) ? age * 1000 : null
  } catch {
    return null
  }
}

/** When a process started, in ticks since the system did. */
function startTicks(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The second field is a name in parentheses, and may hold anything; the start is the 20th after it.
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19])
}
