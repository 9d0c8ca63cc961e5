/** Slots for each member: a renumbering every so many uses. */
const SLOTS_PER_MEMBER = 2
const NOWHERE = -1

/**
 * What was used in which order, and how much lies above a member: Mattson's stack (1970), with a Fenwick tree over the slots
 * of uses in place of a list, so that a use costs the logarithm of the members (Bennett & Kruskal, 1975). 40 bytes a member.
 */
export class ReuseStack {
  /** What `measure` found: the members from the top down to one, itself included, and their weights. */
  depth = 0
  weight = 0
  /** Members there are. */
  length = 0
  private weights: Float64Array
  /** Of each member, its slot; of each slot, its member. */
  private slots: Int32Array
  private members: Int32Array
  private counts: Int32Array
  private sums: Float64Array
  private whole = 0
  private next = 0
  private readonly free: number[] = []
  private made = 0

  constructor(capacity: number) {
    const slots = capacity * SLOTS_PER_MEMBER
    this.weights = new Float64Array(capacity)
    this.slots = new Int32Array(capacity)
    this.members = new Int32Array(slots)
    this.counts = new Int32Array(slots + 1)
    this.sums = new Float64Array(slots + 1)
  }

  get capacity(): number {
    return this.weights.length
  }

  /** On top; returns the new member. */
  push(weight: number): number {
    const member = this.free.pop() ?? this.made++
    if (member >= this.capacity) this.grow()
    this.weights[member] = weight
    this.length++
    this.whole += weight
    this.place(member)
    return member
  }

  measure(member: number): void {
    let depth = this.length
    let weight = this.whole
    // All below it: the slots before its own.
    for (let i = this.slots[member] as number; i > 0; i &= i - 1) {
      depth -= this.counts[i] as number
      weight -= this.sums[i] as number
    }
    this.depth = depth
    this.weight = weight
  }

  /** It is used: to the top. */
  renew(member: number): void {
    if ((this.slots[member] as number) === this.next - 1) return
    this.take(member)
    this.place(member)
  }

  reweigh(member: number, weight: number): void {
    const more = weight - (this.weights[member] as number)
    if (more === 0) return
    this.weights[member] = weight
    this.whole += more
    const { sums } = this
    for (let i = (this.slots[member] as number) + 1; i < sums.length; i += i & -i) sums[i] = (sums[i] as number) + more
  }

  remove(member: number): void {
    this.take(member)
    this.length--
    this.whole -= this.weights[member] as number
    this.free.push(member)
  }

  private place(member: number): void {
    if (this.next === this.members.length) this.renumber()
    this.slots[member] = this.next
    this.members[this.next] = member
    this.add(this.next++, 1, this.weights[member] as number)
  }

  private take(member: number): void {
    const slot = this.slots[member] as number
    this.members[slot] = NOWHERE
    this.slots[member] = NOWHERE
    this.add(slot, -1, -(this.weights[member] as number))
  }

  private add(slot: number, count: number, weight: number): void {
    const { counts, sums } = this
    for (let i = slot + 1; i < counts.length; i += i & -i) {
      counts[i] = (counts[i] as number) + count
      sums[i] = (sums[i] as number) + weight
    }
  }

  /** Takes the gaps out of the slots. */
  private renumber(): void {
    const { members, counts, sums } = this
    let to = 0
    for (let slot = 0; slot < this.next; slot++) {
      const member = members[slot] as number
      if (member === NOWHERE) continue
      this.slots[member] = to
      members[to++] = member
    }
    this.next = to
    counts.fill(0)
    sums.fill(0)
    // Each node is its own and its children's: a child hands its sum to the next larger range that it is in.
    for (let i = 1; i < counts.length; i++) {
      if (i <= to) {
        counts[i] = (counts[i] as number) + 1
        sums[i] = (sums[i] as number) + (this.weights[members[i - 1] as number] as number)
      }
      const parent = i + (i & -i)
      if (parent >= counts.length) continue
      counts[parent] = (counts[parent] as number) + (counts[i] as number)
      sums[parent] = (sums[parent] as number) + (sums[i] as number)
    }
  }

  private grow(): void {
    const capacity = this.capacity * 2
    const slots = capacity * SLOTS_PER_MEMBER
    this.weights = larger(this.weights, new Float64Array(capacity))
    this.slots = larger(this.slots, new Int32Array(capacity))
    this.members = larger(this.members, new Int32Array(slots))
    this.counts = new Int32Array(slots + 1)
    this.sums = new Float64Array(slots + 1)
    this.renumber()
  }
}

function larger<T extends Int32Array | Float64Array>(from: T, to: T): T {
  to.set(from)
  return to
}
