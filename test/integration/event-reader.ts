import { type ClientRequest, type IncomingMessage, request } from 'node:http'

/** One server-sent event, as a browser would hand it over. */
export interface Told {
  readonly id: string | null
  readonly event: string
  readonly data: Record<string, unknown>
}

/** A client of the live events. */
export class EventReader {
  readonly events: Told[] = []
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly response: IncomingMessage
  readonly #sent: ClientRequest
  #text = ''
  #look: () => void = () => {}

  private constructor(sent: ClientRequest, response: IncomingMessage) {
    this.#sent = sent
    this.response = response
    this.status = response.statusCode ?? 0
    this.headers = response.headers
    response.setEncoding('utf8')
    response.on('data', (chunk: string) => this.#read(chunk))
    response.on('error', () => {})
  }

  /** Connected, and heard from: what happens from now on will be told. */
  static open(port: number, query = '', headers: Record<string, string> = {}): Promise<EventReader> {
    return new Promise((resolve, reject) => {
      const sent = request({ host: '127.0.0.1', port, path: `/api/events${query}`, headers, agent: false })
      sent.on('error', reject)
      sent.on('response', (response) => {
        const reader = new EventReader(sent, response)
        if (reader.status !== 200) resolve(reader)
        else response.once('data', () => resolve(reader))
      })
      sent.end()
    })
  }

  /** Resolves as soon as what was told fulfils it. */
  until(isEnough: (events: readonly Told[]) => boolean): Promise<readonly Told[]> {
    return new Promise((resolve, reject) => {
      this.#look = () => {
        if (isEnough(this.events)) resolve(this.events)
      }
      this.response.once('close', () => reject(new Error(`the stream ended after ${JSON.stringify(this.events)}`)))
      this.#look()
    })
  }

  async count(number: number): Promise<readonly Told[]> {
    return this.until((events) => events.length >= number)
  }

  ended(): Promise<void> {
    return new Promise((resolve) => this.response.once('end', () => resolve()))
  }

  close(): void {
    this.#sent.on('error', () => {})
    this.#sent.destroy()
  }

  #read(chunk: string): void {
    this.#text += chunk
    const parts = this.#text.split('\n\n')
    this.#text = parts.pop() ?? ''
    for (const part of parts) {
      const fields = new Map(
        part.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
      )
      const data = fields.get('data')
      if (data === undefined) continue
      this.events.push({
        id: fields.get('id') ?? null,
        event: fields.get('event') ?? 'message',
        data: JSON.parse(data),
      })
    }
    this.#look()
  }
}
