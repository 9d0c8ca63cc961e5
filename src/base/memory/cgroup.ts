/** Reads a file, or says that it can't be read; given, so that other systems' files can be tried. */
export type ReadText = (path: string) => string | undefined

/** Limits of the control groups that this process is in, in bytes; `Infinity`: none found. */
export interface CgroupLimits {
  readonly v2: number
  /** From which the kernel slows the group of version 2 down, and takes its memory back. */
  readonly high: number
  readonly v1: number
}

/** A group that limits this process: where its files are, and the limit. */
export interface LimitingGroup {
  readonly path: string
  readonly version: 1 | 2
  readonly bytes: number
}

/** A hierarchy of control groups: where it is mounted, and which of its groups is there. */
interface Mount {
  readonly at: string
  readonly root: string
}

const NONE = Number.POSITIVE_INFINITY

/**
 * The smallest memory limit of this process's own control group and its ancestors, as far as they can be seen from here:
 * in a container the hierarchy is often mounted from the container's group downwards, or the group's path is the host's.
 */
export function readCgroupLimits(read: ReadText): CgroupLimits {
  const { v1, v2 } = groupsOf(read)
  return {
    v2: limitOf(v2, 'memory.max', read).bytes,
    high: limitOf(v2, 'memory.high', read).bytes,
    v1: limitOf(v1, 'memory.limit_in_bytes', read).bytes,
  }
}

/** The group with the smallest of these limits, whose use tells how near it is; `null` without any. */
export function findLimitingGroup(read: ReadText): LimitingGroup | null {
  const { v1, v2 } = groupsOf(read)
  const found: readonly LimitingGroup[] = [
    { version: 2, ...limitOf(v2, 'memory.max', read) },
    { version: 2, ...limitOf(v2, 'memory.high', read) },
    { version: 1, ...limitOf(v1, 'memory.limit_in_bytes', read) },
  ]
  const least = found.reduce((smaller, group) => (group.bytes < smaller.bytes ? group : smaller))
  return least.bytes === NONE ? null : least
}

/** Directories of this process's groups, its own first, then their ancestors up to the mount. */
function groupsOf(read: ReadText): { readonly v1: readonly string[]; readonly v2: readonly string[] } {
  const own = parseOwnGroups(read('/proc/self/cgroup') ?? '')
  const mounts = read('/proc/self/mountinfo') ?? ''
  return {
    v2: upwards(own.v2, findMount(mounts, 'cgroup2') ?? { at: '/sys/fs/cgroup', root: '/' }),
    v1: upwards(own.v1, findMount(mounts, 'cgroup', 'memory') ?? { at: '/sys/fs/cgroup/memory', root: '/' }),
  }
}

/** Lines are `0::/path` (version 2) and `4:memory,cpu:/path` (version 1). */
function parseOwnGroups(text: string): { v2: string; v1: string } {
  const own = { v2: '/', v1: '/' }
  for (const line of text.split('\n')) {
    const [, hierarchy, controllers, path] = /^(\d+):([^:]*):(\/.*)$/.exec(line) ?? []
    if (path === undefined) continue
    if (hierarchy === '0' && controllers === '') own.v2 = path
    else if (controllers?.split(',').includes('memory')) own.v1 = path
  }
  return own
}

/** Lines are `31 23 0:28 ROOT AT OPTIONS [more …] - TYPE SOURCE OPTIONS`, with spaces in paths as `\040`. */
function findMount(text: string, type: string, controller?: string): Mount | undefined {
  for (const line of text.split('\n')) {
    const [before, after] = line.split(' - ')
    const [, , , root, at] = before?.split(' ') ?? []
    const [found, , options] = after?.split(' ') ?? []
    if (found !== type || root === undefined || at === undefined) continue
    if (controller === undefined || options?.split(',').includes(controller))
      return { at: unescaped(at), root: unescaped(root) }
  }
  return undefined
}

function unescaped(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))
}

/** Deepest group looked at from its mount; a path deeper than this is none. */
const MOST_LEVELS = 100

function upwards(own: string, mount: Mount): string[] {
  const below =
    own === mount.root || own.startsWith(withSlash(mount.root)) ? own.slice(withSlash(mount.root).length) : own
  const names = below
    .split('/')
    .filter((name) => name !== '' && name !== '.' && name !== '..')
    .slice(0, MOST_LEVELS)
  return Array.from({ length: names.length + 1 }, (_, up) => [mount.at, ...names.slice(0, names.length - up)].join('/'))
}

/** The smallest limit that this file has in any of the groups, and where. */
function limitOf(groups: readonly string[], file: string, read: ReadText): { path: string; bytes: number } {
  let least = { path: '', bytes: NONE }
  for (const path of groups) {
    const bytes = parseLimit(read(`${path}/${file}`))
    if (bytes < least.bytes) least = { path, bytes }
  }
  return least
}

function withSlash(path: string): string {
  return path.endsWith('/') ? path : `${path}/`
}

/** `max` and whatever is no positive integer is no limit. */
function parseLimit(text: string | undefined): number {
  const trimmed = text?.trim() ?? ''
  return /^\d+$/.test(trimmed) && Number(trimmed) > 0 ? Number(trimmed) : NONE
}
