import type { MemoryAllowance } from '../../src/base/memory/allowance.ts'
import type { Collection, ProcessMemory, ResidentReading } from '../../src/base/memory/process-memory.ts'
import type { Surroundings } from '../../src/command/memory-manager.ts'

const MIB = 1024 ** 2

/** A machine whose memory is what the test says; without a word, it has plenty. */
export class FakeSurroundings implements Surroundings, ProcessMemory {
  allowed: MemoryAllowance = allowanceOf(1024 * MIB, 256 * MIB)
  /** Of the V8 heap, without what the caches hold. */
  others = 20 * MIB
  garbage = 0
  young = 0
  heapLimit = 256 * MIB
  used: Omit<ResidentReading, 'rss'> = { used: 100 * MIB, limit: 1024 * MIB, source: 'test', stalled: 0 }
  /** What the caches hold on the heap; asked at each reading. */
  held: () => number = () => 0
  reads = 0
  /** ms; time to look again whenever asked, but where a test holds it. */
  uptime = (): number => ++this.asked
  private asked = 0
  listeners = 0
  private listener: ((collection: Collection) => void) | null = null

  readonly readAllowance = (): MemoryAllowance => this.allowed
  readonly memory = (): ProcessMemory => this

  heap() {
    this.reads++
    return { used: this.others + this.garbage + this.held(), young: this.young, limit: this.heapLimit }
  }

  rss(): number {
    return this.used.used
  }

  resident(): ResidentReading {
    return { ...this.used, rss: this.used.used }
  }

  limitsAre(allowance: MemoryAllowance): void {
    this.heapLimit = allowance.heapLimit
  }

  onCollection(listener: (collection: Collection) => void): () => void {
    this.listener = listener
    this.listeners++
    return () => {
      this.listeners--
      this.listener = null
    }
  }

  /** A collection of the whole heap, which leaves no garbage, and is told at once. */
  collect(pause = 5): void {
    this.garbage = 0
    this.listener?.({ whole: true, pause, ago: 0 })
  }
}

export function allowanceOf(bytes: number, heapLimit: number): MemoryAllowance {
  return {
    bytes,
    source: 'test',
    sources: [{ source: 'test', bytes }],
    heapLimit,
    heapSource: 'test',
    heapSources: [{ source: 'test', bytes: heapLimit }],
  }
}
