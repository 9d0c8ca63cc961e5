import { signal } from '@preact/signals'

/** Where the reader is: kept in the address's fragment, so that it can be shared, and works under any prefix. */
export interface Route {
  readonly view: string
  /** What follows the view, decoded. */
  readonly path: readonly string[]
  readonly query: Readonly<Record<string, string>>
}

export const route = signal<Route>(parse(location.hash))

addEventListener('hashchange', () => {
  route.value = parse(location.hash)
})

function parse(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?', 2)
  const [view = '', ...rest] = path.split('/').map(decoded)
  const given = [...new URLSearchParams(query)].filter(([, value]) => value !== '')
  return { view: view === '' ? 'now' : view, path: rest, query: Object.fromEntries(given) }
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

export type RouteQuery = Readonly<Record<string, string | number | null | undefined>>

/** The address of a view. */
export function link(view: string, path: readonly string[] = [], query: RouteQuery = {}): string {
  const given = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== '')
  const search = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString()
  // A lone surrogate has no encoding.
  const parts = [view, ...path].map((part) => encodeURIComponent(part.toWellFormed()))
  return `#/${parts.join('/')}${search === '' ? '' : `?${search}`}`
}

export function keyLink(cache: string, key: string): string {
  return link('keys', [cache, key])
}

/** Changes parts of the query, and adds no step to the browser's history. */
export function replaceQuery(changes: RouteQuery): void {
  const { view, path, query } = route.value
  history.replaceState(null, '', link(view, path, { ...query, ...changes }))
  route.value = parse(location.hash)
}
