import { appendFileSync, readFileSync } from 'node:fs'
import { createRequire, register } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

// Prints the packages that using the cache loads: as modules (seen by the resolver) and as CommonJS (in its cache).
const trace = join(import.meta.dirname, 'trace.txt')
appendFileSync(trace, '')
const hooks = `
  import { appendFileSync } from 'node:fs'
  export async function resolve(specifier, context, next) {
    const found = await next(specifier, context)
    appendFileSync(${JSON.stringify(trace)}, found.url + '\\n')
    return found
  }`
register(`data:text/javascript,${encodeURIComponent(hooks)}`)

const { MemoryManager } = await import('muninn-cache')
const memory = new MemoryManager({ maxItems: 2 })
const cache = memory.cache('tenant')
for (const key of ['a', 'b', 'c']) cache.set(key, key)
const { size } = cache
await memory.close()

const urls = readFileSync(trace, 'utf8').split('\n')
const files = Object.keys(createRequire(import.meta.url).cache).map((file) => pathToFileURL(file).href)
const packages = [...urls, ...files].flatMap((url) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1] ?? [])
console.log(JSON.stringify({ size, packages: [...new Set(packages)] }))
