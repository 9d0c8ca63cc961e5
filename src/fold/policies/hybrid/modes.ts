/** One way of running the same store: the rules differ, the lists don't, so that a change of mode moves little. */
export interface Mode {
  readonly name: ModeName
  /** Share of the entries that the window holds; 1: the window is all. */
  readonly window: number
  /** Share of main that is protected; 1: main is one recency list. */
  readonly protected: number
  /** Whether a key whose last use but this is later than that of main's oldest goes to main without a contest. */
  readonly readmits: boolean
  /** How the window's oldest and main's oldest compare when one must go: never, by frequency, or as learned. */
  readonly contest: 'none' | 'frequency' | 'learned'
}

export type ModeName = 'lru' | 'lirs' | 'lirs-lfu' | 'lfu-1' | 'lfu-15'

/** Every mode; the place of a mode in it stands for it. */
export const MODES: readonly Mode[] = [
  { name: 'lru', window: 1, protected: 0.8, readmits: false, contest: 'none' },
  { name: 'lirs', window: 0.01, protected: 1, readmits: true, contest: 'none' },
  { name: 'lirs-lfu', window: 0.01, protected: 0.8, readmits: true, contest: 'frequency' },
  { name: 'lfu-1', window: 0.01, protected: 0.8, readmits: false, contest: 'learned' },
  { name: 'lfu-15', window: 0.15, protected: 0.8, readmits: false, contest: 'learned' },
]

/** Where a cache begins: its loops and scans cost least before anything is known. */
export const FIRST_MODE = 2
/** Where a cache stays that has no shadows to choose by: the best of them on its own. */
export const ONLY_MODE = 3
