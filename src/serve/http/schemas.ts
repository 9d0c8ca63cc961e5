import { Type } from '#typebox'

/* What several routes' schemas share. */

export const Nullable = <T extends Type.TSchema>(schema: T, options: Type.TSchemaOptions = {}) =>
  Type.Union([schema, Type.Null()], options)
/** A list in an answer, which may be one that nobody is to change. */
export const List = <T extends Type.TSchema>(schema: T, options: Type.TSchemaOptions = {}) =>
  Type.Immutable(Type.Array(schema, options))

export const Time = Type.String({ format: 'date-time', examples: ['2026-01-31T14:00:00.000Z'] })
export const Text = Nullable(Type.String())
export const Bytes = Type.Number({ description: 'Bytes.' })
export const Milliseconds = Type.Number({ description: 'Milliseconds.' })
export const Share = Type.Number({ description: 'A share: 1 is the whole.' })
/** Fields that depend on the kind of event. */
export const Fields = Type.Record(Type.String(), Type.Unknown())

export const CacheName = Type.String({ description: 'Name of a cache.', examples: ['tenant'] })
export const ItemKey = Type.String({
  description: 'Any Unicode text of at most 64 KiB of UTF-8, percent-encoded in a path: %2F is a slash.',
  examples: ['acme:user:42'],
})
export const Ttl = Type.String({
  description: 'Time to live: milliseconds above 0, text such as 5m (ms, s, m, h, d), or Infinity.',
  examples: ['60000', '5m'],
})
