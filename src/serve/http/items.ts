import { type Static, Type } from '#typebox'
import type { Actor } from '../../command/actor.ts'
import type { Cache } from '../../command/cache.ts'
import type { MemoryManager } from '../../muninn.ts'
import { timestamp } from '../wire.ts'
import { ProblemError } from './problem.ts'
import { type HttpItem, representationOf } from './representation.ts'
import { CacheName, ItemKey, Nullable, Time } from './schemas.ts'

/** What became of an item that was to be stored. */
export const StoreAnswer = Type.Object(
  {
    stored: Type.Boolean(),
    cache: CacheName,
    key: ItemKey,
    reason: Type.Optional(Type.String({ description: 'Why it was not stored: too-large, full, admission.' })),
    limit: Type.Optional(Type.String({ description: 'The limit in the way, where one is.' })),
    size: Type.Optional(Type.Number({ description: 'Bytes charged.' })),
    expires_at: Type.Optional(Nullable(Time)),
  },
  {
    examples: [
      { stored: true, cache: 'tenant', key: 'acme:user:42', size: 371, expires_at: '2026-01-31T14:00:00.000Z' },
      { stored: false, cache: 'tenant', key: 'acme:report', reason: 'too-large', limit: 'memory' },
    ],
  },
)
export type StoreAnswer = Static<typeof StoreAnswer>

export const DeleteAnswer = Type.Object(
  { deleted: Type.Boolean({ description: 'Whether a live entry was there.' }), cache: CacheName, key: ItemKey },
  { examples: [{ deleted: true, cache: 'tenant', key: 'acme:user:42' }] },
)

export interface StoreOptions {
  readonly ttl?: string | number | undefined
  readonly tags?: readonly string[] | undefined
}

/** The caches as programs in other languages use them: values are items, bytes with a content type. */
export class Items {
  readonly #memory: MemoryManager

  constructor(memory: MemoryManager) {
    this.#memory = memory
  }

  /** A cache that exists. Asking doesn't make one: a name in a URL is anybody's. */
  cache(name: string): Cache<unknown> | null {
    return this.#memory.cacheNames().includes(name) ? this.#memory.cache<unknown>(name) : null
  }

  /** The item, which counts as a use. @throws {ProblemError} where it has no representation. */
  get(cache: string, key: string): HttpItem | null {
    return shownAs(this.cache(cache)?.get(key), key)
  }

  /** The item, which doesn't count as a use. @throws {ProblemError} where it has no representation. */
  peek(cache: string, key: string): HttpItem | null {
    return shownAs(this.cache(cache)?.peek(key), key)
  }

  put(by: Actor, name: string, key: string, item: HttpItem, { ttl, tags }: StoreOptions): StoreAnswer {
    return this.#memory.actingAs(by, () => {
      const cache = this.#memory.cache<unknown>(name)
      const { stored, reason, limit } = cache.put(key, item, {
        ...(ttl === undefined ? {} : { ttl: ttl === 'Infinity' ? Number.POSITIVE_INFINITY : ttl }),
        ...(tags === undefined ? {} : { tags }),
      })
      const answer: StoreAnswer = { stored, cache: name, key }
      if (reason !== null) answer.reason = reason
      if (limit !== null) answer.limit = limit
      const info = stored ? cache.info(key) : undefined
      return info === undefined ? answer : { ...answer, size: info.size, expires_at: timestamp(info.expiresAt) }
    })
  }

  delete(by: Actor, cache: string, key: string): Static<typeof DeleteAnswer> {
    const deleted = this.#memory.actingAs(by, () => this.cache(cache)?.delete(key) ?? false)
    return { deleted, cache, key }
  }
}

function shownAs(value: unknown, key: string): HttpItem | null {
  if (value === undefined) return null
  const item = representationOf(value)
  if (item === null)
    throw new ProblemError('not-representable', `the value of ${shownKey(key)} can't be written as JSON`)
  return item
}

export function missing(cache: string, key: string): ProblemError {
  return new ProblemError('not-found', `there is no ${shownKey(key)} in cache ${JSON.stringify(cache)}`)
}

function shownKey(key: string): string {
  return JSON.stringify(key.length > 200 ? `${key.slice(0, 200)}…` : key)
}

/** @throws {ProblemError} unless values may leave and come in here. */
export function demandValues(exposed: boolean): void {
  if (exposed) return
  throw new ProblemError(
    'values-hidden',
    'values neither leave nor come in here: register the plugin with exposeValues: true',
  )
}
