import type { Optimize } from '../../../base/settings.ts'
import type { Columns } from '../../columns.ts'

/** Stands for a frequency that was halved to 0: between entries of that, age and size still count. */
const FADED = 0.5

/**
 * What an entry is worth for the bytes that it takes: its frequency over its size, as GDSF has it (Cherkasova, 1998), over
 * the fourth root of its age: what is small and dead must go some time. No inflation, and no order to keep: who is worth
 * least is found by sampling.
 */
export class Weights {
  private readonly columns: Columns
  private readonly optimize: Optimize
  /** `seq` of the last add: from which ages are counted. */
  now = 0
  /** Caches that are run by it at present. */
  inUse = 0
  private entries = 0
  private bytes = 0
  private squares = 0

  constructor(columns: Columns, optimize: Optimize) {
    this.columns = columns
    this.optimize = optimize
  }

  enter(size: number): void {
    this.entries++
    this.bytes += size
    this.squares += size * size
  }

  leave(size: number): void {
    this.entries--
    this.bytes -= size
    this.squares -= size * size
  }

  /** How different the sizes are: their variance over the square of their mean. */
  get spread(): number {
    return this.bytes === 0 ? 0 : (this.entries * this.squares) / this.bytes ** 2 - 1
  }

  worth(h: number): number {
    const { columns } = this
    const age = Math.max(1, this.now - (columns.usedSeq[h] as number))
    return ((columns.frequency[h] || FADED) * this.gain(h)) / Math.sqrt(Math.sqrt(age))
  }

  /** What one hit is worth, for each byte: as many hits, bytes or costs saved as can be. */
  private gain(h: number): number {
    const { size, cost } = this.columns
    const bytes = Math.max(1, size[h] as number)
    if (this.optimize === 'bytes') return 1
    return this.optimize === 'cost' && cost.length !== 0 ? (cost[h] as number) / bytes : 1 / bytes
  }
}
