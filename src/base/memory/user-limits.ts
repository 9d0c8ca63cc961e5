import type { ReadText } from './cgroup.ts'

/** The soft limits that `ulimit` set for this process, in bytes; `Infinity`: none. */
export interface UserLimits {
  readonly addressSpace: number
  readonly data: number
}

/** Lines are `Max address space      SOFT       HARD       bytes`; anything else is no limit. */
export function readUserLimits(read: ReadText): UserLimits {
  const text = read('/proc/self/limits') ?? ''
  return { addressSpace: softLimit(text, 'Max address space'), data: softLimit(text, 'Max data size') }
}

function softLimit(text: string, name: string): number {
  const line = text.split('\n').find((candidate) => candidate.startsWith(name))
  const soft = /^\s+(\d+)\s/.exec(line?.slice(name.length) ?? '')?.[1]
  return soft === undefined ? Number.POSITIVE_INFINITY : Number(soft)
}
