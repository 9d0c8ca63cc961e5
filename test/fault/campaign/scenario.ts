/** What a scenario was made of, and what came of it; its breaches are thrown. */
export interface Outcome {
  readonly faults: readonly string[]
  /** How often each fault really happened. */
  readonly done: ReadonlyMap<string, number>
}

/** Whatever was thrown, as text: some of it is made to hurt whoever looks at it. */
export function described(error: unknown): string {
  try {
    return error instanceof Error ? (error.stack ?? String(error)) : String(error)
  } catch {
    return 'an error that nobody can look at'
  }
}

/** Counts scenarios and faults of a campaign. */
export class Tally {
  readonly #scenarios = new Map<string, number>()
  readonly #times = new Map<string, number>()
  #count = 0

  add({ done }: Outcome): void {
    this.#count++
    for (const [fault, times] of done) {
      this.#scenarios.set(fault, (this.#scenarios.get(fault) ?? 0) + 1)
      this.#times.set(fault, (this.#times.get(fault) ?? 0) + times)
    }
  }

  text(from: number): string {
    const rows = [...this.#scenarios]
      .sort(([a], [b]) => a.localeCompare(b))
      .map(
        ([fault, scenarios]) =>
          `${fault.padEnd(32)} ${String(this.#times.get(fault)).padStart(9)} times in ${scenarios}`,
      )
    return [`${this.#count} scenarios from seed ${from}`, ...rows].join('\n')
  }
}
