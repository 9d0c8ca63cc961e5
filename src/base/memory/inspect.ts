import { types } from 'node:util'

/*
 * Looking at values without running anybody's code: proxies are never touched, accessors never called, built-in getters
 * taken from their prototypes once (an instance or a subclass may shadow them).
 */

/** How a value's memory is laid out. */
export type Kind =
  | 'opaque'
  | 'array'
  | 'plain'
  | 'dictionary'
  | 'instance'
  | 'map'
  | 'set'
  | 'view'
  | 'buffer'
  | 'date'
  | 'regexp'
  | 'error'
  | 'boxed'
  | 'promise'
  | 'weak'
  | 'generator'
  | 'url'

const OBJECT_PROTOTYPE = Object.prototype

export function kindOf(object: object): Kind {
  if (types.isProxy(object)) return 'opaque'
  if (Array.isArray(object)) return 'array'
  const prototype: unknown = Object.getPrototypeOf(object)
  if (prototype === OBJECT_PROTOTYPE) return types.isArgumentsObject(object) ? 'opaque' : 'plain'
  if (prototype === null) return types.isModuleNamespaceObject(object) ? 'opaque' : 'dictionary'
  if (ArrayBuffer.isView(object)) return 'view'
  if (types.isMap(object)) return 'map'
  if (types.isSet(object)) return 'set'
  if (types.isDate(object)) return 'date'
  if (types.isAnyArrayBuffer(object)) return 'buffer'
  if (types.isNativeError(object)) return 'error'
  if (types.isRegExp(object)) return 'regexp'
  if (types.isBoxedPrimitive(object)) return 'boxed'
  if (types.isPromise(object)) return 'promise'
  if (types.isWeakMap(object) || types.isWeakSet(object)) return 'weak'
  if (types.isGeneratorObject(object)) return 'generator'
  if (prototype === URL.prototype) return 'url'
  return isOpaque(object) ? 'opaque' : 'instance'
}

function isOpaque(object: object): boolean {
  return types.isMapIterator(object) || types.isSetIterator(object) || types.isExternal(object)
}

/** The value of an own property: `undefined` for an accessor, which is not called. Never for a proxy. */
export function ownValue(object: object, key: PropertyKey): unknown {
  return Object.getOwnPropertyDescriptor(object, key)?.value
}

/** True for `{}`, `Object.create(null)` and such objects of another realm: what a Go map or JSON object is here. */
export function isRecord(object: object): boolean {
  const prototype: object | null = Object.getPrototypeOf(object)
  if (prototype === OBJECT_PROTOTYPE || prototype === null) return true
  return (
    !types.isProxy(prototype) && Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, 'isPrototypeOf')
  )
}

function getter<T>(prototype: object, name: PropertyKey): (of: object) => T {
  const { get } = Object.getOwnPropertyDescriptor(prototype, name) ?? {}
  if (get === undefined) throw new TypeError(`this JavaScript engine has no getter ${String(name)}`)
  return (of) => Reflect.apply(get, of, [])
}

const TYPED_ARRAY_PROTOTYPE: object = Object.getPrototypeOf(Uint8Array.prototype)
const typedArrayBuffer = getter<ArrayBufferLike>(TYPED_ARRAY_PROTOTYPE, 'buffer')
const dataViewBuffer = getter<ArrayBufferLike>(DataView.prototype, 'buffer')
const arrayBufferLength = getter<number>(ArrayBuffer.prototype, 'byteLength')
const sharedBufferLength = getter<number>(SharedArrayBuffer.prototype, 'byteLength')

export const mapSize = getter<number>(Map.prototype, 'size')
export const setSize = getter<number>(Set.prototype, 'size')
const mapEntries = Map.prototype.entries
const setValues = Set.prototype.values

export function entriesOf(map: object): MapIterator<[unknown, unknown]> {
  return Reflect.apply(mapEntries, map, [])
}

export function valuesOf(set: object): SetIterator<unknown> {
  return Reflect.apply(setValues, set, [])
}

export const { isTypedArray } = types

/** Bytes that a typed array shows. */
export const viewLength = getter<number>(TYPED_ARRAY_PROTOTYPE, 'byteLength')
/** Where in its ArrayBuffer a typed array starts: at 0 where its memory lies on the heap. */
export const viewOffset = getter<number>(TYPED_ARRAY_PROTOTYPE, 'byteOffset')

/** The ArrayBuffer behind a view. Reading it moves a small typed array's memory off the heap (`layout.ON_HEAP_BYTES`). */
export function bufferOf(view: object): ArrayBufferLike {
  return types.isTypedArray(view) ? typedArrayBuffer(view) : dataViewBuffer(view)
}

export function bufferLength(buffer: object): number {
  return types.isSharedArrayBuffer(buffer) ? sharedBufferLength(buffer) : arrayBufferLength(buffer)
}

const href = getter<string>(URL.prototype, 'href')

/** The text of a URL; none for an object that only has its prototype. */
export function hrefOf(url: object): string {
  try {
    return href(url)
  } catch {
    return ''
  }
}

const numberValue = Number.prototype.valueOf
const stringValue = String.prototype.valueOf

/** What a `Number` or `String` object holds; of other boxes, which cost no more than themselves, nothing. */
export function boxedValue(box: object): unknown {
  if (types.isStringObject(box)) return Reflect.apply(stringValue, box, [])
  return types.isNumberObject(box) ? Reflect.apply(numberValue, box, []) : undefined
}

/**
 * True for a Buffer cut from Node's pool (`Buffer.from`, `allocUnsafe`): many share one ArrayBuffer of `Buffer.poolSize`,
 * and each stands for its own length. Any other view holds the whole of its ArrayBuffer.
 */
export function isPooled(view: object, viewBytes: number, bufferBytes: number): boolean {
  return (
    bufferBytes === Buffer.poolSize && viewBytes < bufferBytes >>> 1 && Object.getPrototypeOf(view) === Buffer.prototype
  )
}
