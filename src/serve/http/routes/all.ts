import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import { analysisRoutes } from './analysis.ts'
import { auditRoutes } from './audit.ts'
import { auditChangesRoute } from './audit-changes.ts'
import { auditExportRoute } from './audit-export.ts'
import { auditStateRoute } from './audit-state.ts'
import type { RouteContext } from './context.ts'
import { curveRoute } from './curve.ts'
import { dashboardRoutes } from './dashboard.ts'
import { documentRoutes } from './document.ts'
import { eventsRoute } from './events.ts'
import { healthRoutes } from './health.ts'
import { itemBulkRoute } from './item-bulk.ts'
import { itemListRoute } from './item-list.ts'
import { itemRoutes } from './items.ts'
import { takeJson } from './json-body.ts'
import { memoryRoutes } from './memory.ts'
import { refuseOtherMethods } from './methods.ts'
import { metricsRoute } from './metrics.ts'
import { checkWhenAsked, refuseUnaskedQueries, waitForSchemaCheck } from './schema-check.ts'
import { settingsRoutes } from './settings.ts'
import { settingsPreviewRoute } from './settings-preview.ts'
import { statusRoutes } from './status.ts'

/** Adds every route group to the instance; its guard and its error answers are there already. */
export function addRoutes(instance: FastifyInstance, context: RouteContext): void {
  const app = instance.withTypeProvider<TypeBoxTypeProvider>()
  app.setValidatorCompiler(checkWhenAsked)
  refuseUnaskedQueries(instance)
  waitForSchemaCheck(instance)
  // Answers are written out field by field: compiling a serializer of each schema would take half of the time of a start.
  app.setSerializerCompiler(() => JSON.stringify)
  const closeMethods = refuseOtherMethods(instance)
  // In a scope of their own: items are bytes of any media type, everything else is JSON.
  app.register(async (scope) => itemRoutes(scope.withTypeProvider<TypeBoxTypeProvider>(), context))
  app.register(async (scope) => {
    takeJson(scope)
    const json = scope.withTypeProvider<TypeBoxTypeProvider>()
    itemListRoute(json, context)
    itemBulkRoute(json, context)
    memoryRoutes(json, context)
    statusRoutes(json, context)
    settingsRoutes(json, context)
    settingsPreviewRoute(json, context)
    auditRoutes(json, context)
    auditChangesRoute(json, context)
    analysisRoutes(json, context)
    curveRoute(json, context)
    auditExportRoute(json, context)
    auditStateRoute(json, context)
    eventsRoute(json, context)
    metricsRoute(json, context)
    healthRoutes(json, context)
    documentRoutes(json, context, addRoutes)
  })
  if (context.dashboard) app.register(async (scope) => dashboardRoutes(scope))
  app.after(() => closeMethods())
}
