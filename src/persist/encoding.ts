import type { EventOf, EventType, MuninnEvent } from '../event/catalogue.ts'

/*
 * How events travel to the writer. Those about keys are taken apart: quantities into doubles; type, cache, lengths and
 * words that come again and again into 32-bit codes, the words' text in a dictionary; keys into one text, end to end.
 * A record begins with seq, at / type, cache, the key's length, prefix by the user's rule; the fields of its type follow.
 * It costs the host a fifth of what JSON does, and the writer no parsing. What happens to the whole is rare, and stays JSON.
 */

export type KeyedEvent = Extract<MuninnEvent, { readonly key: string }>
type Headed = 'seq' | 'at' | 'type' | 'cache' | 'key'

/** A batch's events, encoded. */
export interface EncodedRows {
  readonly numbers: Float64Array
  readonly codes: Uint32Array
  /** Outside the heap, where no garbage collection copies it while it waits: latin1, or UTF-16LE where that is too narrow. */
  readonly text: Uint8Array
  readonly isWide: boolean
  /** A word's code is its place here, counted from 1; 0 is null. */
  readonly words: readonly string[]
  /** Events that have no key: a JSON list of rows of `events`. */
  readonly general: string
  /** What it holds in memory. */
  readonly bytes: number
}

/** More than the doubles, and than the codes, of any record. */
export const LONGEST = 16

/** Code of the type that has a layout of its own: its nested fields, and its being the one that must be quick. */
export const EVICTED = 0

/** `number`: null is NaN. `word`: in the dictionary. `list`: a list of text, as JSON in the dictionary. */
type Kind = 'number' | 'word' | 'list' | 'flag'

const STORED = {
  size: 'number',
  offHeap: 'number',
  expiresAt: 'number',
  cost: 'number',
  tags: 'list',
  prefix: 'word',
  actor: 'word',
  traceId: 'word',
} as const

/** A field that is forgotten here does not compile. */
const FIELDS: {
  readonly [T in Exclude<KeyedEvent['type'], 'evicted'>]: { readonly [F in Exclude<keyof EventOf<T>, Headed>]: Kind }
} = {
  expired: { age: 'number', idle: 'number', hits: 'number', size: 'number' },
  removed: { cause: 'word', age: 'number', hits: 'number', size: 'number', actor: 'word', traceId: 'word' },
  rejected: {
    size: 'number',
    reason: 'word',
    limitName: 'word',
    limit: 'number',
    actor: 'word',
    traceId: 'word',
  },
  added: STORED,
  updated: { ...STORED, previousSize: 'number', previousAge: 'number', previousHits: 'number' },
  accessed: { age: 'number' },
  missed: { cause: 'word', regret: 'number', firstRegret: 'flag' },
  loaded: { duration: 'number' },
  'load-failed': { duration: 'number', error: 'word' },
}

/** The fields of one type of event, in the order in which they travel. */
export interface Layout {
  readonly type: EventType
  readonly code: number
  readonly names: readonly string[]
  readonly kinds: readonly Kind[]
}

/** By code, from 1 on. */
export const LAYOUTS: readonly (Layout | undefined)[] = [
  undefined,
  ...Object.entries(FIELDS).map(([type, fields], index) => ({
    type: type as EventType,
    code: index + 1,
    names: Object.keys(fields),
    kinds: Object.values(fields),
  })),
]

/** By type. */
export const LAYOUT_OF = Object.fromEntries(
  LAYOUTS.flatMap((layout) => (layout === undefined ? [] : [[layout.type, layout]])),
) as Readonly<Record<Exclude<KeyedEvent['type'], 'evicted'>, Layout>>
