import type { ServerResponse } from 'node:http'
import type { FastifyInstance } from 'fastify'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Has no end of its own: nobody waits for it before the service stops. */
    muninnEndless?: boolean
  }
}

/** Counts the requests that are being answered, so that a service that stops can wait for them. */
export class InFlight {
  #count = 0
  #settled: (() => void) | null = null

  constructor(app: FastifyInstance) {
    const inFlight = this
    // One function for all responses, not one each.
    function left(this: ServerResponse) {
      inFlight.#left()
    }
    app.addHook('onRequest', (request, reply, done) => {
      if (request.routeOptions.config?.muninnEndless !== true) {
        this.#count++
        reply.raw.once('close', left)
      }
      done()
    })
  }

  /** Resolves when there are none. */
  async settled(): Promise<void> {
    if (this.#count > 0)
      await new Promise<void>((resolve) => {
        this.#settled = resolve
      })
  }

  #left(): void {
    this.#count--
    if (this.#count === 0) this.#settled?.()
  }
}
