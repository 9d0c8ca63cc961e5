import { signal } from '@preact/signals'

/** The token that the reader gave: in memory and nowhere else, so that it is gone with the page. */
export const token = signal<string | null>(null)

/** Whether the service wants a token that it was not given, or not this one. */
export const refused = signal<'missing' | 'wrong' | null>(null)

/** Whether the service lets this reader change things: a token of role `read` may look alone. */
export const mayChange = signal(true)
/** What stands beside what is disabled then. */
export const READ_ONLY = 'This token has the role read: it changes nothing.'

/** An answer that is no answer: the service's problem document, or no service at all. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  /** HTTP status; 0: nobody answered. */
  readonly status: number
  /** The last part of the problem's type, such as `not-found`; empty where there is none. */
  readonly kind: string

  constructor(status: number, kind: string, detail: string) {
    super(detail)
    this.status = status
    this.kind = kind
  }
}

export type Query = Readonly<Record<string, string | number | null | undefined>>

export interface Asking {
  readonly method?: 'GET' | 'POST' | 'DELETE'
  readonly query?: Query
  readonly body?: object
  /** Where a stream of events goes on. */
  readonly lastEventId?: string
  readonly signal?: AbortSignal
}

/** Beyond this many ms a service of the same machine or network is taken for gone. */
const PATIENCE = 20_000

/** The address of a route, wherever the plugin is mounted. */
export function address(path: string, query: Query = {}): URL {
  const url = new URL(path, document.baseURI)
  url.hash = ''
  url.search = ''
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined) url.searchParams.set(name, String(value))
  }
  return url
}

/** Asks the service and gives its JSON. The caller names the type; the routes' schemas vouch for it. */
export async function ask<T>(path: string, asking: Asking = {}): Promise<T> {
  const patience = AbortSignal.timeout(PATIENCE)
  const response = await send(path, {
    ...asking,
    signal: asking.signal === undefined ? patience : AbortSignal.any([asking.signal, patience]),
  })
  return (await response.json()) as T
}

/** The response, once it is known to be a good one. */
export async function send(
  path: string,
  { method = 'GET', query, body, lastEventId, signal }: Asking,
): Promise<Response> {
  const headers: Record<string, string> = {}
  if (token.value !== null) headers.authorization = `Bearer ${token.value}`
  if (body !== undefined) headers['content-type'] = 'application/json'
  if (lastEventId !== undefined) headers['last-event-id'] = lastEventId
  const init: RequestInit = { method, headers, cache: 'no-store' }
  if (body !== undefined) init.body = JSON.stringify(body)
  if (signal !== undefined) init.signal = signal
  const response = await fetch(address(path, query), init).catch((error: unknown) => {
    if (signal?.aborted === true && signal.reason instanceof DOMException && signal.reason.name === 'AbortError')
      throw signal.reason
    throw new ApiError(0, 'unreachable', error instanceof Error ? error.message : 'the service does not answer')
  })
  if (response.ok) {
    refused.value = null
    mayChange.value = response.headers.get('muninn-role') !== 'read'
    return response
  }
  const problem = await problemOf(response)
  if (response.status === 401) refused.value = token.value === null ? 'missing' : 'wrong'
  throw problem
}

async function problemOf(response: Response): Promise<ApiError> {
  const text = await response.text().catch(() => '')
  let document: unknown = null
  try {
    document = JSON.parse(text)
  } catch {
    // A proxy's page, or nothing.
  }
  const { type = '', detail = '' } =
    typeof document === 'object' && document !== null ? (document as { type?: string; detail?: string }) : {}
  return new ApiError(
    response.status,
    type.split(':').at(-1) ?? '',
    detail === '' ? `${response.status} ${response.statusText}` : detail,
  )
}
