import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify'
import type { MemoryManager } from '../../../muninn.ts'
import type { EventStreams } from '../event-streams.ts'
import type { Metrics } from '../metrics.ts'

/** An instance whose routes are typed by their schemas. */
export type App = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>

/** Adds every route to an instance. */
export type AddRoutes = (instance: FastifyInstance, context: RouteContext) => void

/** What the routes need to know. */
export interface RouteContext {
  readonly memory: MemoryManager
  /** Made when it is first asked for. */
  readonly metrics: () => Promise<Metrics>
  readonly streams: EventStreams
  /** Whether values may leave, and come in, over HTTP. */
  readonly exposeValues: boolean
  /** Largest body of an item, in bytes. */
  readonly maxItemBytes: number
  /** Whether `/readyz` fails while the audit log is in trouble. */
  readonly requireAudit: boolean
  /** Whether the dashboard is served beside the API. */
  readonly dashboard: boolean
  /** Whether it is about to close: `/readyz` says so while what was asked before is still being answered. */
  readonly draining: () => boolean
}
