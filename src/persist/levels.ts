import type { AuditLevel } from '../base/audit-options.ts'
import { EVENT_TYPES, type EventType } from '../event/catalogue.ts'

/*
 * Which events each level keeps. A miss is kept at every level where it is the first that regrets an eviction; the
 * memory manager hands those over itself.
 */

const DEPARTURES: readonly EventType[] = [
  'evicted',
  'expired',
  'removed',
  'cleared',
  'rejected',
  'warned',
  'cycle-started',
  'cycle-continued',
  'cycle-completed',
  'checked',
  'peaked',
  'remeasured',
  'configured',
  'budget-changed',
  'adapted',
  'divided',
  'clock-changed',
  'stats-reset',
  'started',
  'stopped',
]

/** The types of event that become rows, by level. */
export const KEPT: Readonly<Record<AuditLevel, readonly EventType[]>> = {
  departures: DEPARTURES,
  changes: [...DEPARTURES, 'added', 'updated'],
  all: EVENT_TYPES,
}
