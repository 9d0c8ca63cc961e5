import { Type } from '#typebox'
import { EVENT_TYPES, type EventType } from '../../../event/catalogue.ts'
import type { EventFilter } from '../event-hub.ts'
import type { EventId } from '../event-listener.ts'
import { ProblemError } from '../problem.ts'
import { CacheName } from '../schemas.ts'
import type { App, RouteContext } from './context.ts'

const Id = Type.String({
  description: 'The last event seen, <run>:<seq>: what the audit log has since comes first.',
  pattern: '^[^:\\s]{1,64}:\\d{1,15}$',
  examples: ['BcQwfg9wa__vSj2HP4U4X:7238'],
})

const Query = Type.Object(
  {
    type: Type.Optional(
      Type.String({
        description: `Types of event, separated by commas: ${EVENT_TYPES.join(', ')}. Default: all.`,
        examples: ['evicted,warned'],
      }),
    ),
    cache: Type.Optional(CacheName),
    prefix: Type.Optional(Type.String({ description: 'Only of keys that begin with this text.', examples: ['acme:'] })),
    after: Type.Optional(Id),
  },
  { additionalProperties: false },
)
const Headers = Type.Object({ 'last-event-id': Type.Optional(Id) })

const DESCRIPTION = `Each event has its type as \`event\`, its identity as \`id\` and itself as \`data\`, in the form of the audit log's export.
Without \`type\` every hit and miss is told, too. With \`Last-Event-ID\` (or \`after\`) the stream begins with what the audit log has
since that event, then \`stream-resumed\`. A client that reads too slowly, and one that asks for what is in no log, is told by
\`stream-missed\` what it has missed.`

/** The live events, server-sent. */
export function eventsRoute(app: App, { streams, draining }: RouteContext): void {
  const schema = {
    tags: ['Events'],
    operationId: 'events',
    summary: 'What happens, as it happens, as server-sent events',
    description: DESCRIPTION,
    querystring: Query,
    headers: Headers,
    response: {
      200: { description: 'A stream without an end.', content: { 'text/event-stream': { schema: Type.String() } } },
    },
  }
  const config = { muninnEndless: true }
  app.get('/api/events', { exposeHeadRoute: false, config, schema }, async (request, reply) => {
    const { type, cache = null, prefix = null, after } = request.query
    const filter: EventFilter = { types: type === undefined ? null : typesIn(type), cache, prefix }
    const last = request.headers['last-event-id'] ?? after
    if (draining()) throw new ProblemError('unavailable', 'the service is stopping: come again')
    streams.demandRoom()
    const { raw } = reply.hijack()
    for (const [name, value] of Object.entries(reply.getHeaders())) if (value !== undefined) raw.setHeader(name, value)
    // nginx collects what it passes on, unless it is told not to.
    raw.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' })
    try {
      await streams.add(raw, filter, last === undefined ? null : idIn(last))
    } catch (error) {
      request.log.error({ err: error }, 'a stream of events broke off')
      raw.destroy()
    }
  })
}

function typesIn(text: string): readonly EventType[] {
  const types = [...new Set(text.split(','))].sort()
  const unknown = types.find((type) => !(EVENT_TYPES as readonly string[]).includes(type))
  if (unknown === undefined) return types as EventType[]
  const message = `${JSON.stringify(unknown)} is none of ${EVENT_TYPES.join(', ')}`
  throw new ProblemError('invalid-input', `type: ${message}`, { errors: [{ field: 'type', message }] })
}

function idIn(text: string): EventId {
  const [run = '', seq = ''] = text.split(':')
  return { run, seq: Number(seq) }
}
