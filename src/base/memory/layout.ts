import { isInternalized } from './representation.ts'

/*
 * What V8 lays out for a value, in bytes, as `heapUsed` and `external` count it: checked against their growth on Node 20,
 * 22 and 24 (test/unit/estimate-growth.test.ts does so again). Everything is rounded up to words.
 */

/** Whether V8 was built to keep references in half a word: no Node that is released is, but one may be built so. */
const COMPRESSED = Reflect.get(process.config.variables, 'v8_enable_pointer_compression') === 1

/** Major version of V8: 11 in Node 20, 12 in 22, 13 in 24. */
const V8 = Number.parseInt(process.versions.v8, 10)

/** A reference, a small integer, a map pointer: everything is counted in these. */
export const WORD = COMPRESSED ? 4 : 8
/** Bits that a small integer lacks of 32. */
const SMI_SHIFT = COMPRESSED ? 1 : 0
/** Map, properties and elements: what every object starts with. */
const OBJECT_HEADER = 3 * WORD
/** Map and length: what every table of references starts with. */
const TABLE_HEADER = 2 * WORD

/** A number that is no small integer, where it can't lie in an array of doubles. */
export const HEAP_NUMBER = WORD + 8
const SYMBOL = 3 * WORD
/** A closure and a context of its own with a variable or two; what else it closes over can't be seen. */
const FUNCTION = 12 * WORD
/** What an accessor takes instead of a value: a pair, and a function that is mostly the object's own. */
export const ACCESSOR = 2 * WORD + 9 * WORD
export const DATE = V8 < 13 ? 14 * WORD : 12 * WORD
/** Compiled code is shared between regular expressions of one source. */
export const REG_EXP = 7 * WORD
export const BOXED = 4 * WORD
/** With the frames of a stack trace ten deep; reading `stack` would format it, and may run the host's code. */
export const ERROR = 98 * WORD
/** What it resolves to can't be seen. */
export const PROMISE = 6 * WORD
/** With a table for a few entries; what is in it can't be seen. */
export const WEAK_COLLECTION = 17 * WORD
export const GENERATOR = 16 * WORD
/** Without its text. */
export const URL_OBJECT = 28 * WORD
/** What can't be looked into: a proxy, an iterator, a module. The reference's default. */
export const OPAQUE = 1024
/** A `TypedArray` or Buffer, without what it views. */
export const TYPED_ARRAY = V8 < 13 ? 96 : 104
export const DATA_VIEW = V8 < 13 ? 80 : 88
export const ARRAY_BUFFER = V8 < 13 ? 88 : 96
/** Of a Buffer cut from Node's pool: its part of the pool's ArrayBuffer, and of what is left over at its end. */
export const POOL_SHARE = 16
/** Typed arrays up to this many bytes lie on the heap, until their `buffer` is read. */
export const ON_HEAP_BYTES = 64

/** Properties that `{}` has room for from the start. */
const EMPTY_OBJECT_SLOTS = 4

const descriptionOf = Reflect.getOwnPropertyDescriptor(Symbol.prototype, 'description')?.get as () => string | undefined

const WIDE = /[^\u0000-\u00ff]/

export function padded(bytes: number): number {
  return Math.ceil(bytes / WORD) * WORD
}

/** The power of two from `least` (one itself) that holds `n`. */
function powerOfTwo(n: number, least: number): number {
  let power = least
  while (power < n) power *= 2
  return power
}

/** Longer texts are searched by V8, at once where it stores one byte a character. */
const SHORT = 24

/**
 * Header, and a byte or two for each character; strings of one Latin-1 character are V8's own. Looking at it flattens what
 * was concatenated, so that it costs what is said here.
 */
export function stringBytes(text: string): number {
  const { length } = text
  if (length === 0) return 0
  const wide = length <= SHORT ? isWide(text) : WIDE.test(text)
  if (length === 1 && !wide) return 0
  return padded(TABLE_HEADER + (wide ? 2 * length : length))
}

function isWide(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0xff) return true
  return false
}

/** Whether V8 keeps it outside the reference; -0 is no small integer. */
export function isDouble(value: number): boolean {
  return (value << SMI_SHIFT) >> SMI_SHIFT !== value || (value === 0 && 1 / value < 0)
}

/** Bytes beyond the reference to it: none for what V8 keeps in the reference itself or once for all. */
export function primitiveBytes(value: unknown): number {
  switch (typeof value) {
    case 'string':
      return heldStringBytes(value)
    case 'number':
      return isDouble(value) ? HEAP_NUMBER : 0
    case 'bigint':
      return bigintBytes(value)
    case 'symbol':
      return SYMBOL + heldStringBytes(Reflect.apply(descriptionOf, value, []) ?? '')
    case 'function':
      return FUNCTION
    default:
      return 0
  }
}

/**
 * Bytes of a string that a value holds. One that V8 has internalized exists once, however many hold it: it is charged to
 * none, unless it looks as though nobody else had it.
 */
function heldStringBytes(text: string): number {
  return isInternalized(text) && !looksUnique(text) ? 0 : stringBytes(text)
}

/** Digits from which an internalized text is taken for one of so many that it is this value's own: an id, a time. */
const DIGITS_OF_AN_ID = 4

export function looksUnique(text: string): boolean {
  let digits = 0
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code >= 48 && code <= 57 && ++digits === DIGITS_OF_AN_ID) return true
  }
  return false
}

/** Header, sign, and 64-bit digits. */
function bigintBytes(value: bigint): number {
  return TABLE_HEADER + WORD * Math.max(value === 0n ? 0 : 1, Math.ceil(bigintBits(value) / 64))
}

/** Bits of its magnitude, within one; found from ever smaller shifted copies beyond the 1,024 that a number can tell. */
function bigintBits(value: bigint): number {
  let rest = value < 0n ? -value : value
  let bits = 0
  for (let shift = 2 ** 29; Number(rest) === Number.POSITIVE_INFINITY; shift /= 2) {
    const shifted = rest >> BigInt(shift)
    if (shifted === 0n) continue
    rest = shifted
    bits += shift
  }
  return bits + (rest === 0n ? 0 : Math.log2(Number(rest)))
}

/**
 * An object with `n` named properties, made by a literal, `JSON.parse` or a constructor: slots within it. One that grew
 * from `{}` costs some 30 bytes more beyond four, and that can't be told from outside.
 */
export function objectBytes(n: number): number {
  return OBJECT_HEADER + WORD * (n === 0 ? EMPTY_OBJECT_SLOTS : n)
}

/** An instance of a class with `n` fields that can be seen; of built-in classes none can, and most have one or more. */
export function instanceBytes(n: number): number {
  return OBJECT_HEADER + WORD * Math.max(1, n)
}

/** An object whose named properties are a hash table with room for `n`. */
export function dictionaryObjectBytes(n: number): number {
  return OBJECT_HEADER + TABLE_HEADER + 6 * WORD + 3 * WORD * hashCapacity(n)
}

/** Entries (of key, value and details) that a hash table of properties has room for: it is at most two thirds full. */
function hashCapacity(n: number): number {
  return powerOfTwo(n + Math.floor(n / 2), 4)
}

/** A table of `n` elements, none for none. */
function elementsBytes(n: number): number {
  return n === 0 ? 0 : TABLE_HEADER + WORD * n
}

/** The memory of a typed array that lies on the heap, with the ArrayBuffer that it has all the same. */
export function onHeapBytes(bytes: number): number {
  return ARRAY_BUFFER + TABLE_HEADER + padded(bytes)
}

/** Elements as a hash table by index, of sparse arrays. */
export function sparseElementsBytes(n: number): number {
  return TABLE_HEADER + 4 * WORD + 3 * WORD * hashCapacity(n)
}

/** True where V8 would rather hash `n` elements than keep a table up to `last`. */
function isSparse(n: number, last: number): boolean {
  return last >= 500 && last + 1 > 9 * hashCapacity(n)
}

/** Elements at `n` indexes, the last of them `last`. */
export function indexedBytes(n: number, last: number): number {
  return isSparse(n, last) ? sparseElementsBytes(n) : elementsBytes(last + 1)
}

/** An array's header and elements, as exact as `JSON.parse`, literals, `map` and `slice` make them; `push` leaves slack. */
export function arrayBytes(n: number): number {
  return OBJECT_HEADER + WORD + elementsBytes(n)
}

/** A Map: key, value and chain for each entry. */
export function mapBytes(n: number): number {
  return collectionBytes(powerOfTwo(n, 4), 3)
}

/** A Set; since V8 12 `new Set(list)` has room for 8 where `add` makes it for 4: few are charged as for six. */
export function setBytes(n: number): number {
  return collectionBytes(V8 >= 12 && n > 0 && n <= 4 ? 6 : powerOfTwo(n, 4), 2)
}

/** The table of a Map or Set doubles from 4 entries, with a bucket for each two. */
function collectionBytes(capacity: number, wordsPerEntry: number): number {
  return OBJECT_HEADER + WORD + TABLE_HEADER + WORD * (3 + capacity / 2 + wordsPerEntry * capacity)
}

/** The hidden classes on the way to one with `n` fields, and its list of fields, where no other object shares them. */
export function hiddenClassBytes(n: number): number {
  return 11 * WORD + 13 * (WORD / 2) * n
}
