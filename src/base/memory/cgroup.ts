/** Reads a file, or says that it can't be read; given, so that other systems' files can be tried. */
export type ReadText = (path: string) => string | undefined

/** Limits of the control groups that this process is in, in bytes; `Infinity`: none found. */
export interface CgroupLimits {
  readonly v2: number
  readonly v1: number
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
  const own = parseOwnGroups(read('/proc/self/cgroup') ?? '')
  const mounts = read('/proc/self/mountinfo') ?? ''
  return {
    v2: smallest(own.v2, findMount(mounts, 'cgroup2') ?? { at: '/sys/fs/cgroup', root: '/' }, 'memory.max', read),
    v1: smallest(
      own.v1,
      findMount(mounts, 'cgroup', 'memory') ?? { at: '/sys/fs/cgroup/memory', root: '/' },
      'memory.limit_in_bytes',
      read,
    ),
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

function smallest(own: string, mount: Mount, file: string, read: ReadText): number {
  const below =
    own === mount.root || own.startsWith(withSlash(mount.root)) ? own.slice(withSlash(mount.root).length) : own
  const names = below.split('/').filter((name) => name !== '' && name !== '.' && name !== '..')
  let limit = NONE
  for (let level = Math.min(names.length, MOST_LEVELS); level >= 0; level--) {
    const group = [mount.at, ...names.slice(0, level)].join('/')
    limit = Math.min(limit, parseLimit(read(`${group}/${file}`)))
  }
  return limit
}

function withSlash(path: string): string {
  return path.endsWith('/') ? path : `${path}/`
}

/** `max` and whatever is no positive integer is no limit. */
function parseLimit(text: string | undefined): number {
  const trimmed = text?.trim() ?? ''
  return /^\d+$/.test(trimmed) && Number(trimmed) > 0 ? Number(trimmed) : NONE
}
