import { setImmediate as breathe } from 'node:timers/promises'
import { type Static, Type } from '#typebox'
import type { PolicyName } from '../../../base/settings.ts'
import type { EntryInfo } from '../../../command/cache.ts'
import { instant, limit, timestamp } from '../../wire.ts'
import { type ListCursor, readListCursor, writeListCursor } from '../item-cursor.ts'
import { Items } from '../items.ts'
import { ProblemError } from '../problem.ts'
import { CacheName, ItemKey, Nullable, Time } from '../schemas.ts'
import { placeUnder } from '../victims.ts'
import type { App, RouteContext } from './context.ts'

/** Entries looked at in one go: a listing of a large cache lets others in between. */
const PORTION = 2_000
const ROWS = 100

const ORDERS = {
  age: 'oldest value first',
  size: 'largest first',
  hits: 'most hits first',
  policy: 'those first that the policy gives up first',
} as const
type OrderName = keyof typeof ORDERS

const Query = Type.Object(
  {
    key: Type.Optional(
      Type.String({
        description: 'This key alone, as it is or as it is shown: a row if it is there, none if not. No use of it.',
        examples: ['acme:user:42'],
      }),
    ),
    prefix: Type.Optional(Type.String({ description: 'Keys that begin with this text.', examples: ['acme:'] })),
    order: Type.Optional(
      Type.Enum(Object.keys(ORDERS) as OrderName[], {
        description: `${Object.entries(ORDERS)
          .map(([name, meaning]) => `${name}: ${meaning}`)
          .join('; ')}. Default age. Equals by last use.`,
      }),
    ),
    reverse: Type.Optional(Type.Boolean({ description: 'The other way round.' })),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, description: `Rows a page, default ${ROWS}.` })),
    cursor: Type.Optional(Type.String({ description: 'next of the page before, in the same order.' })),
  },
  { additionalProperties: false },
)

const Row = Type.Object(
  {
    key: ItemKey,
    size: Type.Number({ description: 'Bytes charged.' }),
    stored_at: Time,
    expires_at: Nullable(Time),
    hits: Type.Number({ description: 'Since its value was stored.' }),
    last_access: Nullable(Time),
    cost: Type.Number(),
    tags: Type.Array(Type.String()),
    score: Nullable(Type.Number({ description: 'What the policy compares, in its own unit.' })),
  },
  {
    examples: [
      {
        key: 'acme:user:42',
        size: 371,
        stored_at: '2026-01-31T13:00:00.000Z',
        expires_at: null,
        hits: 7,
        last_access: '2026-01-31T13:59:30.000Z',
        cost: 0,
        tags: ['acme'],
        score: 3,
      },
    ],
  },
)
const Answer = Type.Object({
  items: Type.Array(Row),
  next: Nullable(Type.String()),
  isExact: Type.Boolean({
    description: 'false: hybrid decides only when it comes to it who goes; order=policy then is by frequency alone.',
  }),
})

/** An entry and its place in the order. */
interface Placed {
  readonly shown: string
  readonly info: EntryInfo
  readonly place: ListCursor
}

/** Keys and what is known of them, never values; a page is a moment of a cache that goes on changing. */
export function itemListRoute(app: App, { memory }: RouteContext): void {
  const items = new Items(memory)
  const params = Type.Object({ cache: CacheName })
  const schema = {
    tags: ['Items'],
    operationId: 'listItems',
    summary: 'List keys and what is known of them, never values',
    params,
    querystring: Query,
    response: { 200: Answer },
  }
  app.get('/api/cache/:cache/items', { schema }, async (request) => {
    const { key: only, prefix = '', order = 'age', reverse = false, limit: most = ROWS, cursor } = request.query
    const name = request.params.cache
    const cache = items.cache(name)
    if (cache === null) throw new ProblemError('not-found', `there is no cache ${JSON.stringify(name)}`)
    const after = cursor === undefined ? null : readListCursor(cursor, order, reverse)
    const { policy } = memory.settings
    const page: Placed[] = []
    let seen = 0
    const isThere = only !== undefined && cache.has(only)
    for (const key of isThere ? [only] : only === undefined || memory.redaction !== null ? cache.keys() : []) {
      if (++seen % PORTION === 0) await breathe()
      // The prefix is one of what is shown: of the keys themselves, it would be a way to guess them letter by letter.
      const shown = memory.redaction?.key(key) ?? key
      if (!shown.startsWith(prefix) || (only !== undefined && !isThere && shown !== only)) continue
      const info = cache.info(key)
      if (info === undefined) continue
      const place: ListCursor = { value: valueIn(order, info, policy), lastUse: info.lastUse }
      const direction = reverse ? -1 : 1
      if (after !== null && direction * inOrder(place, after) <= 0) continue
      insert(page, { shown, info, place }, (a, b) => direction * inOrder(a.place, b.place), most + 1)
    }
    const last = page.length > most ? page[most - 1] : undefined
    return {
      items: page.slice(0, most).map(({ shown, info }) => row(shown, info, (tag) => memory.redaction?.key(tag) ?? tag)),
      next: last === undefined ? null : writeListCursor(last.place, order, reverse),
      isExact: order !== 'policy' || policy !== 'hybrid',
    }
  })
}

/** Small comes first. */
function valueIn(order: OrderName, info: EntryInfo, policy: PolicyName): number {
  if (order === 'age') return info.storedAt
  if (order === 'size') return -info.size
  if (order === 'hits') return -info.hits
  return placeUnder(policy, info, true)
}

function inOrder(a: ListCursor, b: ListCursor): number {
  return a.value - b.value || a.lastUse - b.lastUse
}

/** Puts one into its place in a sorted page, unless `most` others come first. */
function insert(page: Placed[], one: Placed, compare: (a: Placed, b: Placed) => number, most: number): void {
  const last = page.at(-1)
  if (page.length >= most && last !== undefined && compare(one, last) >= 0) return
  let low = 0
  let high = page.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (compare(page[middle] as Placed, one) < 0) low = middle + 1
    else high = middle
  }
  page.splice(low, 0, one)
  if (page.length > most) page.pop()
}

function row(key: string, info: EntryInfo, shownTag: (tag: string) => string): Static<typeof Row> {
  return {
    key,
    size: info.size,
    stored_at: instant(info.storedAt),
    expires_at: timestamp(info.expiresAt),
    hits: info.hits,
    last_access: timestamp(info.lastAccess),
    cost: info.cost,
    tags: info.tags.map(shownTag),
    score: limit(info.score),
  }
}
