import { Type } from '#typebox'
import { type ApiDocument, describeApi } from '../document.ts'
import { documentPage, PAGE_STYLE } from '../document-page.ts'
import type { AddRoutes, App, RouteContext } from './context.ts'

/** The API's own description: for programs, and for people. Made when it is first asked for. */
export function documentRoutes(app: App, context: RouteContext, addRoutes: AddRoutes): void {
  let made: Promise<ApiDocument> | null = null
  const document = () => {
    made ??= describeApi(context, addRoutes, app.prefix)
    return made
  }
  const tags = ['Description']

  app.get(
    '/openapi.json',
    {
      schema: {
        tags,
        operationId: 'openapi',
        summary: 'This API as an OpenAPI 3.1 document',
        response: { 200: Type.Object({}, { additionalProperties: true }) },
      },
    },
    async () => ({ ...(await document()) }),
  )

  app.get(
    '/api/docs',
    {
      schema: {
        tags,
        operationId: 'docs',
        summary: 'This API as a page to read',
        response: { 200: { description: 'HTML.', content: { 'text/html': { schema: Type.String() } } } },
      },
    },
    async (_request, reply) =>
      reply.type('text/html; charset=utf-8').send(documentPage(await document(), `${app.prefix}/api/docs.css`)),
  )

  app.get(
    '/api/docs.css',
    {
      schema: {
        tags,
        operationId: 'docsStyle',
        summary: "The page's style sheet",
        response: { 200: { description: 'CSS.', content: { 'text/css': { schema: Type.String() } } } },
      },
    },
    async (_request, reply) => reply.type('text/css; charset=utf-8').send(PAGE_STYLE),
  )
}
