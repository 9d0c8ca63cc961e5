import { Readable } from 'node:stream'
import { Type } from '#typebox'
import { EVENT_TYPES } from '../../../event/catalogue.ts'
import { about, given, historyOf, question, RangeQuery, wrong } from './audit-query.ts'
import type { App, RouteContext } from './context.ts'

const TYPES: readonly string[] = [...EVENT_TYPES, 'gap']

const ExportQuery = Type.Object(
  {
    ...RangeQuery,
    format: Type.Optional(Type.Enum(['jsonl', 'csv'], { description: 'Default jsonl.' })),
    type: Type.Optional(
      Type.String({
        description: `Types of event, separated by commas: ${TYPES.join(', ')}.`,
        examples: ['evicted,gap'],
      }),
    ),
  },
  { additionalProperties: false },
)

const Line = Type.Unsafe<Readable>({
  type: 'string',
  description:
    'An event a line, with run, seq, at, type, cache and key; type `gap` stands for events that are missing.',
})

const MEDIA_TYPES = { jsonl: 'application/x-ndjson; charset=utf-8', csv: 'text/csv; charset=utf-8' } as const

/** What the log has, event by event: read no faster than it is taken, and no further once the taker has gone. */
export function auditExportRoute(app: App, { memory }: RouteContext): void {
  const schema = {
    ...about('export', 'Every event of the log, streamed'),
    querystring: ExportQuery,
    response: {
      200: {
        description: 'As the log has them, in the order of runs and seq.',
        content: { 'application/x-ndjson': { schema: Line }, 'text/csv': { schema: Line } },
      },
    },
  }
  app.get('/api/audit/export', { schema }, async (request, reply) => {
    const { format = 'jsonl', type, ...range } = request.query
    const types = type === undefined ? undefined : typesIn(type)
    const exported = historyOf(memory).exportText(format, { ...question(range), ...given({ types }) })
    const lines = exported[Symbol.asyncIterator]()
    // The first are waited for: a log that can't be read is a problem document, not an answer that breaks off.
    const first = await lines.next()
    const body = Readable.from(rest(first, lines), { highWaterMark: 1 })
    return reply
      .type(MEDIA_TYPES[format])
      .header('content-disposition', `attachment; filename="muninn.${format}"`)
      .send(body)
  })
}

async function* rest(first: IteratorResult<string>, lines: AsyncIterator<string>): AsyncGenerator<string> {
  try {
    for (let next = first; next.done !== true; next = await lines.next()) yield next.value
  } finally {
    await lines.return?.()
  }
}

function typesIn(text: string): readonly string[] {
  const types = text.split(',').map((type) => type.trim())
  return types.every((type) => TYPES.includes(type))
    ? types
    : wrong('type', `some of ${TYPES.join(', ')}, separated by commas`)
}
