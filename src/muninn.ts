import { MemoryManager } from './command/memory-manager.ts'
import { openHistory } from './query/history.ts'

/* The package's entry: what `import 'muninn-cache'` gives. It attaches the queries to the manager. */

MemoryManager.historyOf = openHistory

export type { Advice } from './base/advice.ts'
export type { AuditLevel, AuditOptions, RetentionOptions } from './base/audit-options.ts'
export type { Clock } from './base/clock.ts'
export { optionsFromEnv } from './base/environment.ts'
export {
  ClosedError,
  EnvironmentError,
  type ErrorCode,
  HistoryError,
  InvalidEntryError,
  LoadTimeoutError,
  MissingDependencyError,
  MuninnError,
  OptionError,
  TooManyCachesError,
  TraceError,
} from './base/errors.ts'
export type { Logger } from './base/logger.ts'
export { estimateSize } from './base/memory/estimate.ts'
export type { CacheOptions, MemoryManagerOptions, SizeFunction } from './base/options.ts'
export type { CacheSettings, PolicyName, Settings } from './base/settings.ts'
export type { ShadowOptions } from './base/shadow-options.ts'
export type { Actor } from './command/actor.ts'
export type { AddVerdict } from './command/add-verdict.ts'
export type { Cache, EntryInfo, PutResult } from './command/cache.ts'
export type { SetOptions } from './command/entry-options.ts'
export type { CycleSummary } from './command/evictor.ts'
export type { Loader, LoadOptions } from './command/loading.ts'
export { type EvictOptions, MemoryManager } from './command/memory-manager.ts'
export type { LimitOptions } from './command/settings-change.ts'
export type { ShadowStats } from './command/shadow-caches.ts'
export type { CacheStats, Stats, Totals } from './command/stats.ts'
export type * from './event/catalogue.ts'
export type { EvictionCause, Level, LimitName, PeakMetric, RejectionReason } from './event/vocabulary.ts'
export type { AuditState, Lifetime } from './persist/audit.ts'
export type { History } from './query/answers.ts'
