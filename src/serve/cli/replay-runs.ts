import type { Command } from 'commander'
import { POLICIES, type PolicyName } from '../../base/settings.ts'
import { parseBytes } from '../../base/units.ts'
import type { ReplayOptions } from '../../replay/replay.ts'
import { usageError } from './output.ts'
import { count } from './text.ts'

/** Which runs are asked for, as `replay` and `whatif` take them. */
export interface RunFlags {
  readonly policy?: string[]
  readonly maxItems?: string[]
  readonly maxMemory?: string[]
  readonly evictionThreshold?: number
  readonly seed?: number
}

export function withRuns(command: Command): Command {
  return command
    .option('--policy <name...>', `${POLICIES.join(', ')}; several are compared`)
    .option('--max-items <n...>', 'items at most; several are compared')
    .option('--max-memory <size...>', 'bytes at most, or 64MB; several are compared')
}

/** The runs that were asked for: every policy under every limit. */
export class Asked {
  private readonly policies: PolicyName[] = []
  private readonly maxItems: number[] = []
  private readonly maxMemory: number[] = []
  private readonly flags: RunFlags
  /** What an option took that is no value of its own: an option with several values takes the file after it, too. */
  private readonly rest: string[] = []

  constructor(flags: RunFlags) {
    this.flags = flags
    this.take(flags.policy, '--policy', this.policies, (text) => POLICIES.find((policy) => policy === text))
    this.take(flags.maxItems, '--max-items', this.maxItems, (text) =>
      /^[1-9]\d{0,14}$/.test(text) ? Number(text) : undefined,
    )
    this.take(flags.maxMemory, '--max-memory', this.maxMemory, (text) =>
      /^[\d.]+\s*[a-z]*$/i.test(text) ? parseBytes(text, '--max-memory') : undefined,
    )
  }

  /** The file, where it stood after an option with several values. */
  takeFile(): string | undefined {
    return this.rest.pop()?.replace(/^--[a-z-]+ /, '')
  }

  demandNoRest(): void {
    const [wrong] = this.rest
    if (wrong === undefined) return
    const allowed = wrong.startsWith('--policy ')
      ? `one of ${POLICIES.join(', ')}`
      : wrong.startsWith('--max-items ')
        ? 'an integer of 1 or more'
        : 'bytes, or a size such as 64MB'
    throw usageError(`${wrong}: give ${allowed}`)
  }

  get isLimited(): boolean {
    return this.maxItems.length + this.maxMemory.length > 0
  }

  runs(): ReplayOptions[] {
    const { evictionThreshold, seed } = this.flags
    const policies = this.policies.length === 0 ? [undefined] : this.policies
    const limits = orNone(this.maxItems).flatMap((maxItems) =>
      orNone(this.maxMemory).map((maxMemory) => ({ maxItems, maxMemory })),
    )
    if (this.policies.length === 0 && !this.isLimited) return []
    return policies.flatMap((policy) =>
      limits.map(({ maxItems, maxMemory }) => ({
        ...(policy === undefined ? {} : { policy }),
        ...(maxItems === undefined ? {} : { maxItems }),
        ...(maxMemory === undefined ? {} : { maxMemory }),
        ...(evictionThreshold === undefined ? {} : { evictionThreshold }),
        ...(seed === undefined ? {} : { seed }),
      })),
    )
  }

  private take<T>(
    texts: readonly string[] | undefined,
    option: string,
    into: T[],
    parse: (text: string) => T | undefined,
  ): void {
    for (const text of texts ?? []) {
      const values = text.split(',').map(parse)
      if (values.includes(undefined)) this.rest.push(`${option} ${text}`)
      else into.push(...(values as T[]))
    }
  }
}

function orNone<T>(values: readonly T[]): readonly (T | undefined)[] {
  return values.length === 0 ? [undefined] : values
}

/** How many so far, on a terminal's stderr, once it takes over a second. */
export class Progress {
  private readonly started = performance.now()
  private shown = false
  private readonly of: string

  constructor(of: string) {
    this.of = of
  }

  show(done: number): void {
    if (!process.stderr.isTTY || performance.now() - this.started < 1000) return
    process.stderr.write(`\r${count(done)} ${this.of}`)
    this.shown = true
  }

  clear(): void {
    if (this.shown) process.stderr.write('\r\u001b[K')
  }
}
