/** Slots for each member: they are renumbered every so many uses. */
const SLOTS_PER_MEMBER = 2
const NOWHERE = -1
/** Slots of a block, and blocks of a row: 64 each. */
const SHIFT = 6
const BLOCK = 1 << SHIFT

/**
 * What was used in which order, and how much lies above a member: Mattson's stack (1970). Each use takes the next slot; what is
 * above is added up over slots, blocks of 64 and rows of 64 blocks: neighbours in memory, which for some thousand members is
 * quicker than a tree. 50 bytes a member.
 */
export class ReuseStack {
  /** What `measure` found: the members from the top down to one, itself included, and their weights. */
  depth = 0
  weight = 0
  /** Members there are. */
  length = 0
  /** Of each member its slot; of each slot its member and that one's weight, 0 where it is empty. */
  private slots: Int32Array
  private members: Int32Array
  private weights: Float64Array
  private blockCounts: Int32Array
  private blockWeights: Float64Array
  private rowCounts: Int32Array
  private rowWeights: Float64Array
  private next = 0
  private readonly free: number[] = []
  private made = 0

  /** @param capacity members that there is room for at first; a multiple of 64. */
  constructor(capacity: number) {
    const slots = capacity * SLOTS_PER_MEMBER
    this.slots = new Int32Array(capacity)
    this.members = new Int32Array(slots).fill(NOWHERE)
    this.weights = new Float64Array(slots)
    const blocks = slots >> SHIFT
    this.blockCounts = new Int32Array(blocks)
    this.blockWeights = new Float64Array(blocks)
    this.rowCounts = new Int32Array((blocks >> SHIFT) + 1)
    this.rowWeights = new Float64Array((blocks >> SHIFT) + 1)
  }

  get capacity(): number {
    return this.slots.length
  }

  /** On top; returns the new member. */
  push(weight: number): number {
    const member = this.free.pop() ?? this.made++
    if (member >= this.capacity) this.grow()
    this.length++
    this.place(member, weight)
    return member
  }

  measure(member: number): void {
    const { members, weights, blockCounts, blockWeights, rowCounts, rowWeights, next } = this
    const slot = this.slots[member] as number
    let depth = 0
    let weight = 0
    const blockEnd = Math.min(next, (slot | (BLOCK - 1)) + 1)
    for (let i = slot; i < blockEnd; i++) {
      if ((members[i] as number) !== NOWHERE) depth++
      weight += weights[i] as number
    }
    const block = slot >> SHIFT
    const lastBlock = (next - 1) >> SHIFT
    const rowEnd = Math.min(lastBlock, block | (BLOCK - 1))
    for (let i = block + 1; i <= rowEnd; i++) {
      depth += blockCounts[i] as number
      weight += blockWeights[i] as number
    }
    const lastRow = lastBlock >> SHIFT
    for (let i = (block >> SHIFT) + 1; i <= lastRow; i++) {
      depth += rowCounts[i] as number
      weight += rowWeights[i] as number
    }
    this.depth = depth
    this.weight = weight
  }

  /** It is used: to the top. */
  renew(member: number): void {
    const slot = this.slots[member] as number
    if (slot === this.next - 1) return
    this.place(member, this.take(slot))
  }

  reweigh(member: number, weight: number): void {
    const slot = this.slots[member] as number
    this.add(slot, 0, weight - (this.weights[slot] as number))
    this.weights[slot] = weight
  }

  remove(member: number): void {
    this.take(this.slots[member] as number)
    this.length--
    this.free.push(member)
  }

  private place(member: number, weight: number): void {
    if (this.next === this.members.length) this.renumber()
    const slot = this.next++
    this.slots[member] = slot
    this.members[slot] = member
    this.weights[slot] = weight
    this.add(slot, 1, weight)
  }

  /** Empties a slot; returns the weight that was there. */
  private take(slot: number): number {
    const weight = this.weights[slot] as number
    this.members[slot] = NOWHERE
    this.weights[slot] = 0
    this.add(slot, -1, -weight)
    return weight
  }

  private add(slot: number, count: number, weight: number): void {
    const block = slot >> SHIFT
    const row = block >> SHIFT
    this.blockCounts[block] = (this.blockCounts[block] as number) + count
    this.blockWeights[block] = (this.blockWeights[block] as number) + weight
    this.rowCounts[row] = (this.rowCounts[row] as number) + count
    this.rowWeights[row] = (this.rowWeights[row] as number) + weight
  }

  /** Takes the gaps out of the slots. */
  private renumber(): void {
    const { members, weights, next } = this
    this.next = 0
    this.blockCounts.fill(0)
    this.blockWeights.fill(0)
    this.rowCounts.fill(0)
    this.rowWeights.fill(0)
    for (let slot = 0; slot < next; slot++) {
      const member = members[slot] as number
      if (member === NOWHERE) continue
      const weight = weights[slot] as number
      members[slot] = NOWHERE
      weights[slot] = 0
      this.place(member, weight)
    }
  }

  private grow(): void {
    const larger = new ReuseStack(this.capacity * 2)
    larger.slots.set(this.slots)
    larger.members.set(this.members)
    larger.weights.set(this.weights)
    this.slots = larger.slots
    this.members = larger.members
    this.weights = larger.weights
    this.blockCounts = larger.blockCounts
    this.blockWeights = larger.blockWeights
    this.rowCounts = larger.rowCounts
    this.rowWeights = larger.rowWeights
    this.renumber()
  }
}
