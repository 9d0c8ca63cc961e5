import type { MemoryManagerOptions } from '../../base/options.ts'

/** Limits at which everything happens within a minute; what the user states wins over them. */
export const DEMO_OPTIONS: MemoryManagerOptions = {
  maxMemory: '24MB',
  maxItems: 5000,
  // The policy that an export hurts; the doctor has something to say about it.
  policy: 'lru',
  // The workload makes its checks itself, in its own time.
  checkInterval: 0,
}
