/** Links of any number of lists among the same entries, each of which is in one of them at most. */
export class Links {
  previous: Int32Array
  next: Int32Array

  constructor(capacity: number) {
    this.previous = new Int32Array(capacity)
    this.next = new Int32Array(capacity)
  }

  grow(capacity: number): void {
    this.previous = copied(this.previous, new Int32Array(capacity))
    this.next = copied(this.next, new Int32Array(capacity))
  }
}

/** A longer array with what was in a shorter one. */
export function copied<T extends Int32Array | Uint32Array | Uint16Array | Float64Array | Uint8Array>(
  from: T,
  to: T,
): T {
  to.set(from)
  return to
}
