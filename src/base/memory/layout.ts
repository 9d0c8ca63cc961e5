/*
 * What V8 lays out for a value, in bytes: 64-bit, without pointer compression, as Node builds it (checked against heap
 * growth on Node 20, V8 11.3; test/unit/estimate-growth.test.ts does so again). Everything is rounded up to words.
 */

/** A reference, a small integer, a map pointer: everything is counted in these. */
export const WORD = 8
/** Map, properties and elements: what every object starts with. */
const OBJECT_HEADER = 3 * WORD
/** Map and length: what every table of references starts with. */
const TABLE_HEADER = 2 * WORD

/** A number that is no 32-bit integer, where it can't lie in an array of doubles. */
export const HEAP_NUMBER = 16
const SYMBOL = 24
/** A closure and a context of its own with a variable or two; what else it closes over can't be seen. */
const FUNCTION = 96
export const DATE = 112
/** Compiled code is shared between regular expressions of one source. */
export const REG_EXP = 56
export const BOXED = 32
/** With the frames of a stack trace ten deep; reading `stack` would format it, and may run the host's code. */
export const ERROR = 750
/** What can't be looked into: a proxy, promise, weak collection, generator, module. The reference's default. */
export const OPAQUE = 1024
/** A `TypedArray` or Buffer, without what it views. */
export const TYPED_ARRAY = 96
export const DATA_VIEW = 80
export const ARRAY_BUFFER = 88
/** Off the heap, for each ArrayBuffer: V8's backing store and extension, and malloc's own headers (from growth of RSS). */
export const BACKING_STORE = 120
/** Typed arrays up to this many bytes lie on the heap, until their `buffer` is read. */
export const ON_HEAP_BYTES = 64

/** More properties than this, and V8 keeps them in a hash table. */
const MOST_FAST_PROPERTIES = 128
/** Properties that `{}` has room for from the start. */
const EMPTY_OBJECT_SLOTS = 4

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

/**
 * Header, and a byte or two for each character; strings of one Latin-1 character are V8's own. The search is over at
 * once where V8 stores one byte a character, and flattens what was concatenated, so that it costs what is said here.
 */
export function stringBytes(text: string): number {
  const { length } = text
  if (length === 0) return 0
  const wide = WIDE.test(text)
  if (length === 1 && !wide) return 0
  return padded(TABLE_HEADER + (wide ? 2 * length : length))
}

export function isDouble(value: number): boolean {
  return (value | 0) !== value
}

/** Bytes beyond the reference to it: none for what V8 keeps in the reference itself or once for all. */
export function primitiveBytes(value: unknown): number {
  switch (typeof value) {
    case 'string':
      return stringBytes(value)
    case 'number':
      return isDouble(value) ? HEAP_NUMBER : 0
    case 'bigint':
      return bigintBytes(value)
    case 'symbol':
      return SYMBOL
    case 'function':
      return FUNCTION
    default:
      return 0
  }
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

/** True where V8 keeps `n` named properties of an ordinary object in a hash table, with keys of its own. */
export function isDictionary(n: number): boolean {
  return n > MOST_FAST_PROPERTIES
}

/**
 * An object with `n` named properties, made by a literal, `JSON.parse` or a constructor: slots within it. One that grew
 * from `{}` costs 16 bytes more beyond four; one that got more than some 20 by computed keys is a hash table, and that
 * can't be seen from outside.
 */
export function objectBytes(n: number): number {
  return isDictionary(n) ? dictionaryObjectBytes(n) : OBJECT_HEADER + WORD * (n === 0 ? EMPTY_OBJECT_SLOTS : n)
}

/** An instance of a class with `n` fields that can be seen; of built-in classes none can, and most have one or more. */
export function instanceBytes(n: number): number {
  return n === 0 ? OBJECT_HEADER + WORD : objectBytes(n)
}

/** An object whose named properties are a hash table. */
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
function sparseElementsBytes(n: number): number {
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

/** A Map (`wordsPerEntry` 3: key, value, chain) or Set (2): its table doubles from 4 entries, with a bucket for each two. */
export function collectionBytes(n: number, wordsPerEntry: number): number {
  const capacity = powerOfTwo(n, 4)
  return OBJECT_HEADER + WORD + TABLE_HEADER + WORD * (3 + capacity / 2 + wordsPerEntry * capacity)
}
