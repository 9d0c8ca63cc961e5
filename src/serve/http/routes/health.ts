import { Type } from '#typebox'
import type { Stats } from '../../../command/stats.ts'
import type { App, RouteContext } from './context.ts'

type AuditState = NonNullable<Stats['audit']>

const HealthAnswer = Type.Object(
  {
    status: Type.Union([Type.Literal('ok'), Type.Literal('degraded'), Type.Literal('draining')]),
    audit: Type.Optional(
      Type.Object({
        status: Type.String(),
        problem: Type.Union([Type.String(), Type.Null()]),
        set_aside: Type.Union([Type.String(), Type.Null()]),
        lost_events: Type.Number(),
        pending_events: Type.Number(),
      }),
    ),
    uptime_seconds: Type.Optional(Type.Number()),
    run_id: Type.Optional(Type.String()),
  },
  { examples: [{ status: 'ok' }] },
)

/** `/livez`, `/readyz`, `/healthz`: answered without a token, and then with the status word alone. */
export function healthRoutes(app: App, { memory, requireAudit, draining }: RouteContext): void {
  const config = { muninnOpen: true }
  /** Trouble with the audit log is said, and alone is no reason to restart a healthy cache. */
  const health = () => {
    const { audit } = memory.stats()
    const well = audit === null ? !requireAudit : audit.status === 'ok'
    return { audit, status: well ? ('ok' as const) : ('degraded' as const) }
  }

  const schema = (operationId: string, summary: string) => ({
    tags: ['Health'],
    operationId,
    summary,
    response: { 200: HealthAnswer },
  })

  app.get('/livez', { config, schema: schema('live', 'Whether the process answers') }, async () => ({
    status: 'ok' as const,
  }))

  app.get(
    '/healthz',
    { config, schema: schema('health', 'Whether the process answers, and what is in trouble') },
    async (request) => {
      const { status, audit } = health()
      if (request.muninnCaller?.known !== true) return { status }
      const known = { status, uptime_seconds: Math.round(process.uptime()), run_id: memory.runId }
      return audit === null ? known : { ...known, audit: auditHealth(audit) }
    },
  )

  const ready = schema('ready', 'Whether it takes requests: 503 while it drains')
  app.get(
    '/readyz',
    { config, schema: { ...ready, response: { 200: HealthAnswer, 503: HealthAnswer } } },
    async (request, reply) => {
      const { status, audit } = draining() ? { status: 'draining' as const, audit: null } : health()
      reply.code(status === 'draining' || (status === 'degraded' && requireAudit) ? 503 : 200)
      if (request.muninnCaller?.known !== true || audit === null) return { status }
      return { status, audit: auditHealth(audit) }
    },
  )
}

function auditHealth({ status, problem, setAside, lostEvents, pendingEvents }: AuditState) {
  return { status, problem, set_aside: setAside, lost_events: lostEvents, pending_events: pendingEvents }
}
