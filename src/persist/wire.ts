import type { Batch, RunHeader } from './batch.ts'

/* What the host's thread and the writer's say to each other. */

export type ToWriter = { readonly batch: Batch } | { readonly end: true }

/** `lost`: events of the batch that the database refuses. `setAside`: the new path of a damaged file. `share`: of which share of the
 * keys rows are kept from now on. */
export type FromWriter =
  | { readonly acknowledged: number; readonly lost: number }
  | { readonly failed: number; readonly problem: string }
  | { readonly setAside: string; readonly problem: string }
  | { readonly share: number }

/** What the writer's thread is started with. */
export interface WriterData {
  readonly path: string
  readonly header: RunHeader
  /** The number of the first batch that it will get. */
  readonly expected: number
  /** The numbers below: a host that is blocked sees these, and no message. */
  readonly shared: SharedArrayBuffer
}

/** Index of the number of the last batch on disk. */
export const ON_DISK = 0
/** Index of the number of the batch that has just failed; 0: none. */
export const FAILED = 1
/** Index of whether the thread is (1) where it must not be torn down, or not (0). */
export const BUSY = 2
/** Index of whether the thread must not touch the database any more (1). */
export const STOP = 3
export const SHARED_BYTES = 16
