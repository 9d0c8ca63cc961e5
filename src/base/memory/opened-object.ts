import {
  boxedValue,
  bufferLength,
  bufferOf,
  entriesOf,
  hrefOf,
  isPooled,
  isTypedArray,
  type Kind,
  kindOf,
  mapSize,
  ownValue,
  setSize,
  valuesOf,
  viewLength,
  viewOffset,
} from './inspect.ts'
import * as layout from './layout.ts'
import { countIndexes, keyBytes } from './property-keys.ts'
import { asksEngine, isHashed, isNumeric, isSparse } from './representation.ts'

/** What costs the same whatever is in it, or whatever can be seen of it. */
const FLAT = {
  date: layout.DATE,
  regexp: layout.REG_EXP,
  promise: layout.PROMISE,
  weak: layout.WEAK_COLLECTION,
  generator: layout.GENERATOR,
  opaque: layout.OPAQUE,
}

/**
 * Fewer properties than this are a hash table only where one of them is an accessor, or one was deleted: the table was
 * made for those that there were, and two more.
 */
const FEWEST_HASHED = 20

/** Beyond so many properties, only those that are enumerable are listed. */
const MANY_KEYS = 200

const NO_KEYS: readonly PropertyKey[] = []

/**
 * One object at a time, opened: the bytes of its own, and how many children (properties, elements, keys, values) there
 * are to read. Reused, so that opening allocates nothing but the list of keys.
 */
export class OpenedObject {
  /** Bytes of the object and its tables, without its children. */
  own = 0
  /** Those outside the heap, in addition to `own`. */
  offHeap = 0
  /** Children to read. */
  children = 0
  kind: Kind = 'opaque'

  private object: object | null = null
  private keys: readonly PropertyKey[] = NO_KEYS
  private entries: Iterator<[unknown, unknown]> | null = null
  private values: Iterator<unknown> | null = null
  /** Properties among those read that are accessors. */
  private accessors = 0
  /** The value that belongs to the key read last, of a Map. */
  private mapped: unknown

  open(object: object): void {
    this.own = 0
    this.offHeap = 0
    this.children = 0
    this.keys = NO_KEYS
    this.object = object
    this.kind = kindOf(object)
    switch (this.kind) {
      case 'plain':
        this.openRecord(object as Record<string, unknown>)
        break
      case 'array':
        this.openArray(object as unknown[])
        break
      case 'instance':
        this.openKeys(object)
        this.own = isHashed(object, this.children)
          ? this.hashedBytes(object)
          : layout.instanceBytes(this.children) + this.classBytes(0)
        break
      case 'dictionary':
        this.openKeys(object)
        this.own = this.hashedBytes(object)
        break
      case 'map':
        this.openMap(object)
        break
      case 'set':
        this.children = setSize(object)
        this.values = valuesOf(object)
        this.own = layout.setBytes(this.children)
        break
      case 'view':
        this.openView(object)
        break
      case 'buffer':
        this.own = layout.ARRAY_BUFFER
        this.offHeap = bufferLength(object)
        break
      case 'error':
        this.openKeys(object)
        this.keys = this.keys.filter((key) => key !== 'stack')
        this.children = this.keys.length
        this.own = layout.ERROR + (isHashed(object, this.children) ? this.hashedBytes(object) : 0)
        break
      case 'boxed':
        this.children = 1
        this.own = layout.BOXED
        break
      case 'url':
        this.own = layout.URL_OBJECT + layout.stringBytes(hrefOf(object))
        break
      default:
        this.own = FLAT[this.kind]
    }
  }

  /**
   * Reads `count` of the children: all, or some that are spread evenly (of a Map or Set the oldest, since there is no other
   * way in). Returns the bytes of the primitives among them; the objects are added to `objects`.
   */
  read(count: number, objects: object[]): number {
    const { children, kind } = this
    const step = count === children || kind === 'map' || kind === 'set' ? 1 : evenStep(children)
    let bytes = 0
    let doubles = 0
    // An array of numbers alone that has children to read is one of doubles, unless V8 has said that it isn't.
    let numbersOnly = kind === 'array' && !asksEngine
    this.accessors = 0
    for (let n = 0, i = 0; n < count; n++, i = (i + step) % children) {
      const child = this.child(i)
      if (typeof child === 'number') {
        if (layout.isDouble(child)) doubles++
      } else if (child !== undefined) {
        numbersOnly = false
        if (typeof child !== 'object') bytes += layout.primitiveBytes(child)
        else if (child !== null) objects.push(child)
      }
    }
    return numbersOnly ? 0 : bytes + doubles * layout.HEAP_NUMBER + this.accessors * layout.ACCESSOR
  }

  /** Child `i`; of a Map or Set the next one. */
  private child(i: number): unknown {
    const object = this.object as object
    switch (this.kind) {
      case 'array':
        return ownValue(object, i)
      case 'map':
        return this.nextOfMap(i)
      case 'set':
        return this.values?.next().value
      case 'view':
        return bufferOf(object)
      case 'boxed':
        return boxedValue(object)
      default:
        return this.property(object, this.keys[i] as PropertyKey)
    }
  }

  private property(object: object, key: PropertyKey): unknown {
    const property = Object.getOwnPropertyDescriptor(object, key)
    if (property === undefined) return undefined
    if (property.value === undefined && (property.get ?? property.set) !== undefined) this.accessors++
    return property.value
  }

  /** Properties that had to be listed: V8 lists all of them, or none. */
  get listed(): number {
    return this.keys.length
  }

  /** Whether `object` is the one that is open. */
  holds(object: object): boolean {
    return this.object === object
  }

  /** Forgets what was opened, so that nothing is held on to. */
  close(): void {
    this.object = null
    this.keys = NO_KEYS
    this.entries = null
    this.values = null
    this.mapped = undefined
  }

  private openKeys(object: object): void {
    if (mayHaveMany(object)) {
      // Half of what `getOwnPropertyNames` takes for a hash table, or less. What isn't enumerable among so many is not seen.
      this.keys = Object.keys(object)
      this.children = this.keys.length
      if (this.children > MANY_KEYS) return
    }
    // A third of what `Reflect.ownKeys` takes.
    const names: PropertyKey[] = Object.getOwnPropertyNames(object)
    const symbols = Object.getOwnPropertySymbols(object)
    this.keys = symbols.length === 0 ? names : names.concat(symbols)
    this.children = this.keys.length
  }

  /** Of an object whose properties, `indexed` of which are elements, are a hash table. */
  private hashedBytes(object: object, indexed = 0): number {
    const named = this.children - indexed
    const room = named >= FEWEST_HASHED || this.kind === 'dictionary' ? 0 : this.hasAccessor(object) ? 2 : 3
    return layout.dictionaryObjectBytes(named + room) + keyBytes(this.keys, indexed)
  }

  /** Bytes of the hidden class of an object whose last field no other object seems to have: else it is shared, and free. */
  private classBytes(indexed: number): number {
    const last = this.keys[this.children - 1]
    if (typeof last !== 'string' || !layout.looksUnique(last) || indexed === this.children) return 0
    return layout.hiddenClassBytes(this.children - indexed) + keyBytes(this.keys, indexed)
  }

  private hasAccessor(object: object): boolean {
    return this.keys.some((key) => 'get' in (Object.getOwnPropertyDescriptor(object, key) ?? {}))
  }

  private openRecord(object: Record<string, unknown>): void {
    this.openKeys(object)
    const indexed = countIndexes(this.keys)
    const named = this.children - indexed
    this.own = isHashed(object, named)
      ? this.hashedBytes(object, indexed)
      : layout.objectBytes(named) + this.classBytes(indexed)
    if (indexed > 0) this.own += layout.indexedBytes(indexed, Number(this.keys[indexed - 1]))
  }

  private openArray(array: unknown[]): void {
    const { length } = array
    this.own = layout.arrayBytes(length)
    if (isSparse(array)) {
      // `Object.keys` finds the few elements without a walk over the holes.
      this.keys = Object.keys(array)
      this.kind = 'instance'
      this.children = this.keys.length
      this.own = layout.arrayBytes(0) + layout.sparseElementsBytes(this.children)
    } else if (!isNumeric(array)) {
      this.children = length
    }
  }

  private openMap(map: object): void {
    const size = mapSize(map)
    this.children = 2 * size
    this.entries = entriesOf(map)
    this.own = layout.mapBytes(size)
  }

  private openView(view: object): void {
    if (!isTypedArray(view)) {
      this.own = layout.DATA_VIEW
      this.children = 1
      return
    }
    const length = viewLength(view)
    this.own = layout.TYPED_ARRAY
    if (length <= layout.ON_HEAP_BYTES && viewOffset(view) === 0) {
      // Its memory may lie on the heap; asking for its buffer would move it.
      this.own += layout.onHeapBytes(length)
      return
    }
    const buffer = bufferOf(view)
    if (!isPooled(view, length, bufferLength(buffer))) {
      this.children = 1
      return
    }
    this.offHeap = layout.padded(length)
    this.own += layout.POOL_SHARE
  }

  private nextOfMap(i: number): unknown {
    if (i % 2 === 1) return this.mapped
    const entry = this.entries?.next()
    if (entry === undefined || entry.done === true) return undefined
    this.mapped = entry.value[1]
    return entry.value[0]
  }
}

/** Whether an ordinary object's properties can be more than a few, told without a list of them. */
function mayHaveMany(object: object): boolean {
  return (asksEngine && (isHashed(object, 0) || isSparse(object as unknown[]))) || Object.hasOwn(object, MANY_KEYS)
}

/** A step that visits all of `n` before it comes round; any run of its first visits is spread evenly (golden section). */
function evenStep(n: number): number {
  let step = Math.max(1, Math.round(n * 0.618))
  while (greatestCommonDivisor(step, n) !== 1) step++
  return step
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b)
}
