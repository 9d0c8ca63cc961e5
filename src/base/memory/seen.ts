/** Objects remembered in a list before a hash table pays. */
const FEW = 16

/** The objects that one estimate has met; reused from estimate to estimate, and empty between them. */
export class Seen {
  private readonly few: (object | null)[] = new Array<object | null>(FEW).fill(null)
  private count = 0
  private many: Set<object> | null = null

  /** Whether `object` is met for the first time. */
  add(object: object): boolean {
    if (this.many !== null) {
      if (this.many.has(object)) return false
      this.many.add(object)
      return true
    }
    for (let i = 0; i < this.count; i++) {
      if (this.few[i] === object) return false
    }
    if (this.count < FEW) this.few[this.count++] = object
    else this.many = new Set(this.few as object[]).add(object)
    return true
  }

  clear(): void {
    for (let i = 0; i < this.count; i++) this.few[i] = null
    this.count = 0
    this.many = null
  }
}
