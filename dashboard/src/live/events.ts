import { type Query, send } from '../api/client.ts'

/** An event as the service sends it: the catalogue's fields, times as they come. */
export interface LiveEvent {
  /** `<run>:<seq>`, or empty for what the stream itself has to say. */
  readonly id: string
  readonly type: string
  readonly data: Readonly<Record<string, unknown>>
}

export interface Listener {
  readonly events: (batch: readonly LiveEvent[]) => void
  readonly state: (state: 'opening' | 'open' | 'waiting', why: string | null) => void
}

const FIRST_RETRY = 300
const LAST_RETRY = 5000

/**
 * Reads server-sent events with `fetch`, which can show a token where `EventSource` can't, and resumes after the last
 * event that was seen. Returns what stops it.
 */
export function listen(path: string, query: Query, listener: Listener): () => void {
  const leaving = new AbortController()
  void follow(path, query, listener, leaving.signal)
  return () => leaving.abort()
}

async function follow(path: string, query: Query, listener: Listener, signal: AbortSignal): Promise<void> {
  let last: string | null = null
  let retry = FIRST_RETRY
  while (!signal.aborted) {
    let why = 'the connection ended'
    try {
      listener.state('opening', null)
      const response = await send(path, { query, signal, ...(last === null ? {} : { lastEventId: last }) })
      listener.state('open', null)
      retry = FIRST_RETRY
      for await (const batch of batches(response)) {
        if (signal.aborted) return
        last = batch.findLast((event) => event.id !== '')?.id ?? last
        listener.events(batch)
      }
    } catch (error) {
      if (signal.aborted) return
      why = error instanceof Error ? error.message : String(error)
    }
    listener.state('waiting', why)
    await pause(retry, signal)
    retry = Math.min(retry * 2, LAST_RETRY)
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      done()
    })
  })
}

/** The events of each chunk that arrives, as the HTML standard parses an event stream. */
async function* batches(response: Response): AsyncGenerator<readonly LiveEvent[]> {
  if (response.body === null) return
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of response.body) {
    const blocks = (rest + decoder.decode(chunk, { stream: true })).split(/\r?\n\r?\n/)
    rest = blocks.pop() ?? ''
    const events = blocks.map(eventOf).filter((event) => event !== null)
    if (events.length > 0) yield events
  }
}

function eventOf(block: string): LiveEvent | null {
  let id = ''
  let type = 'message'
  const data: string[] = []
  for (const line of block.split(/\r?\n/)) {
    const colon = line.indexOf(':')
    // A comment keeps the connection alive and says nothing.
    if (colon <= 0) continue
    const value = line.slice(colon + 1).replace(/^ /, '')
    const field = line.slice(0, colon)
    if (field === 'id') id = value
    else if (field === 'event') type = value
    else if (field === 'data') data.push(value)
  }
  if (data.length === 0) return null
  try {
    return { id, type, data: JSON.parse(data.join('\n')) as Record<string, unknown> }
  } catch {
    return null
  }
}
