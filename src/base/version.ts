import { createRequire } from 'node:module'

/** The package's version. The file is as deep in `src/` as in `dist/`. */
export const VERSION: string = (createRequire(import.meta.url)('../../package.json') as { version: string }).version
