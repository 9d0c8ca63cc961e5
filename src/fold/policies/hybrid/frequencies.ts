import type { Columns } from '../../columns.ts'
import { FrequencySketch, MOST_FREQUENT } from './frequency-sketch.ts'

/** Uses per entry after which all frequencies are halved. */
const MEMORY = 80
/** Least sample between two halvings. */
const LEAST_SAMPLE = 1024

/**
 * How often keys are asked for: a column for the entries of all caches, one sketch for keys of which nothing else is
 * known, aged together.
 */
export class Frequencies {
  readonly sketch = new FrequencySketch()
  /** How often all were halved. */
  halvings = 0
  private readonly columns: Columns
  private residents = 0
  private sample = 0

  constructor(columns: Columns) {
    this.columns = columns
  }

  /** @param known frequency of the key before. */
  enter(h: number, known: number): void {
    this.sketch.ensureCapacity(++this.residents)
    this.columns.frequency[h] = Math.min(MOST_FREQUENT, known + 1)
    this.age()
  }

  adopt(h: number): void {
    this.sketch.ensureCapacity(++this.residents)
    this.columns.frequency[h] = Math.min(MOST_FREQUENT, this.columns.uses(h))
  }

  use(h: number): void {
    const { frequency } = this.columns
    const count = frequency[h] as number
    if (count < MOST_FREQUENT) frequency[h] = count + 1
    this.age()
  }

  leave(): void {
    this.residents--
  }

  private age(): void {
    if (++this.sample >= MEMORY * this.residents && this.sample >= LEAST_SAMPLE) this.halve()
  }

  private halve(): void {
    this.sample = 0
    this.halvings++
    this.sketch.halve()
    const { frequency } = this.columns
    for (let h = 0; h < frequency.length; h++) frequency[h] = (frequency[h] as number) >> 1
  }
}
