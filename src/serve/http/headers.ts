import type { FastifyHelmetOptions } from '@fastify/helmet'

/**
 * What every answer tells a browser: nothing but this origin's own files runs or loads, nobody frames it, nothing is
 * sniffed. Whether the origin is https for good is for whoever terminates TLS to say.
 */
export const BROWSER_RULES: FastifyHelmetOptions = {
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      'default-src': ["'none'"],
      'script-src': ["'self'"],
      'style-src': ["'self'"],
      'img-src': ["'self'", 'data:'],
      'font-src': ["'self'"],
      'connect-src': ["'self'"],
      'base-uri': ["'none'"],
      'form-action': ["'none'"],
      'frame-ancestors': ["'none'"],
    },
  },
  strictTransportSecurity: false,
  xFrameOptions: { action: 'deny' },
}
