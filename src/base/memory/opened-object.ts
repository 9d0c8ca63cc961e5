import {
  boxedValue,
  bufferLength,
  bufferOf,
  entriesOf,
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

/** Elements of a longer array that are looked at to tell whether it holds numbers alone, which need no look at each. */
const NUMBER_PROBES = 32

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
  /** The value that belongs to the key read last, of a Map. */
  private mapped: unknown

  open(object: object): void {
    this.own = 0
    this.offHeap = 0
    this.children = 0
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
        this.own = this.openKeys(object)
        break
      case 'dictionary':
        this.openKeys(object)
        this.own = layout.dictionaryObjectBytes(this.children)
        break
      case 'map':
        this.openMap(object)
        break
      case 'set':
        this.children = setSize(object)
        this.values = valuesOf(object)
        this.own = layout.collectionBytes(this.children, 2)
        break
      case 'view':
        this.openView(object)
        break
      case 'buffer':
        this.own = layout.ARRAY_BUFFER
        this.offHeap = bufferLength(object) + layout.BACKING_STORE
        break
      case 'error':
        this.openKeys(object)
        this.keys = this.keys.filter((key) => key !== 'stack')
        this.children = this.keys.length
        this.own = layout.ERROR
        break
      case 'boxed':
        this.children = 1
        this.own = layout.BOXED
        break
      default:
        this.own = this.kind === 'date' ? layout.DATE : this.kind === 'regexp' ? layout.REG_EXP : layout.OPAQUE
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
    let numbersOnly = kind === 'array'
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
    return numbersOnly ? 0 : bytes + doubles * layout.HEAP_NUMBER
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
        return ownValue(object, this.keys[i] as PropertyKey)
    }
  }

  /** Forgets what was opened, so that nothing is held on to. */
  close(): void {
    this.object = null
    this.keys = NO_KEYS
    this.entries = null
    this.values = null
    this.mapped = undefined
  }

  private openKeys(object: object): number {
    // A third of what `Reflect.ownKeys` takes.
    const names: PropertyKey[] = Object.getOwnPropertyNames(object)
    const symbols = Object.getOwnPropertySymbols(object)
    this.keys = symbols.length === 0 ? names : names.concat(symbols)
    this.children = this.keys.length
    return layout.instanceBytes(this.children)
  }

  private openRecord(object: Record<string, unknown>): void {
    const keys = Object.keys(object)
    this.keys = keys
    this.children = keys.length
    const indexed = countIndexes(keys)
    const named = keys.length - indexed
    this.own = layout.objectBytes(named)
    if (indexed > 0) this.own += layout.indexedBytes(indexed, Number(keys[indexed - 1]))
    if (layout.isDictionary(named)) this.own += keyBytes(keys, indexed)
  }

  private openArray(array: unknown[]): void {
    const { length } = array
    this.own = layout.arrayBytes(length)
    if (length <= NUMBER_PROBES) {
      this.children = length
      return
    }
    let numbers = 0
    let holes = 0
    for (let i = 0; i < NUMBER_PROBES; i++) {
      const value = ownValue(array, Math.floor((i * length) / NUMBER_PROBES))
      if (typeof value === 'number') numbers++
      else if (value === undefined) holes++
    }
    if (numbers === NUMBER_PROBES) return
    this.children = length
    if (holes < NUMBER_PROBES / 2 || length <= 1024) return
    // Mostly holes: the elements are few, and kept by index. `Object.keys` finds them without a walk over the holes.
    this.keys = Object.keys(array)
    this.kind = 'instance'
    this.children = this.keys.length
    this.own = layout.arrayBytes(0) + layout.indexedBytes(this.children, length - 1)
  }

  private openMap(map: object): void {
    const size = mapSize(map)
    this.children = 2 * size
    this.entries = entriesOf(map)
    this.own = layout.collectionBytes(size, 3)
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
    if (isPooled(view, length, bufferLength(buffer))) this.offHeap = layout.padded(length)
    else this.children = 1
  }

  private nextOfMap(i: number): unknown {
    if (i % 2 === 1) return this.mapped
    const entry = this.entries?.next()
    if (entry === undefined || entry.done === true) return undefined
    this.mapped = entry.value[1]
    return entry.value[0]
  }
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
