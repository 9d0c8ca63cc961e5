import { types } from 'node:util'
import { entriesOf, isRecord, ownValue, viewLength } from './inspect.ts'

/** Bytes for whatever is no string, byte array, map or list. */
const ANYTHING_ELSE = 1024
/** Longer arrays are asked which elements they have, in case they are mostly holes. */
const LONG_ARRAY = 65_536

/** A map or list, half counted. */
interface Frame {
  readonly container: object
  readonly children: readonly unknown[]
  next: number
  bytes: number
}

/**
 * The reference's `EstimateItemSize`: a string counts its UTF-8 bytes, a byte array (`Uint8Array`, Buffer) its length, a
 * map (plain object, or `Map` with string keys) its keys' bytes and its values, a list (array) its elements, anything else
 * 1024. Like the reference it counts what is shared as often as it occurs, at the cost of counting it once; a cycle, on
 * which the reference would not return, counts once. Proxies and accessors are "anything else", and never run.
 */
export function payloadSize(value: unknown): number {
  const leaf = leafSize(value)
  return leaf ?? containerSize(value as object)
}

/** Bytes of all but maps and lists. */
function leafSize(value: unknown): number | undefined {
  if (typeof value === 'string') return Buffer.byteLength(value)
  if (typeof value !== 'object' || value === null || types.isProxy(value)) return ANYTHING_ELSE
  if (types.isUint8Array(value)) return viewLength(value)
  return Array.isArray(value) || isStringMap(value) || isRecord(value) ? undefined : ANYTHING_ELSE
}

function isStringMap(value: object): boolean {
  if (!types.isMap(value)) return false
  for (const [key] of entriesOf(value)) {
    if (typeof key !== 'string') return false
  }
  return true
}

/** Depth first with a stack of its own, so that no nesting is too deep; each container is counted once and remembered. */
function containerSize(root: object): number {
  const sizes = new Map<object, number>()
  const stack: Frame[] = [open(root)]
  sizes.set(root, 0)
  for (;;) {
    const frame = stack[stack.length - 1] as Frame
    if (frame.next === frame.children.length) {
      stack.pop()
      sizes.set(frame.container, frame.bytes)
      const parent = stack[stack.length - 1]
      if (parent === undefined) return Math.min(frame.bytes, Number.MAX_SAFE_INTEGER)
      parent.bytes += frame.bytes
      continue
    }
    const child = frame.children[frame.next++]
    const bytes = leafSize(child) ?? sizes.get(child as object)
    if (bytes !== undefined) {
      frame.bytes += bytes
      continue
    }
    sizes.set(child as object, 0)
    stack.push(open(child as object))
  }
}

/** A container's children, and the bytes of its keys. */
function open(container: object): Frame {
  let bytes = 0
  let children: unknown[] = []
  if (Array.isArray(container)) {
    const { length } = container
    const present = length > LONG_ARRAY ? Object.keys(container) : null
    if (present === null) for (let i = 0; i < length; i++) children.push(ownValue(container, i))
    else children = present.map((key) => ownValue(container, key))
    bytes = (length - children.length) * ANYTHING_ELSE
  } else if (types.isMap(container)) {
    for (const [key, value] of entriesOf(container)) {
      bytes += Buffer.byteLength(key as string)
      children.push(value)
    }
  } else {
    for (const key of Object.keys(container)) {
      bytes += Buffer.byteLength(key)
      children.push(ownValue(container, key))
    }
  }
  return { container, children, next: 0, bytes }
}
