/** An item as a PUT brought it: its bytes and what they are, to be given back as they came. */
export interface HttpItem {
  readonly body: Buffer
  readonly contentType: string
}

const UNTYPED = 'application/octet-stream'

/**
 * The body in memory of its own. What the server hands over may be a slice of Node's shared 8 KiB pool, and a small
 * item would keep the whole of it alive.
 */
export function itemOf(body: Buffer, contentType: string | undefined): HttpItem {
  const own = Buffer.allocUnsafeSlow(body.length)
  body.copy(own)
  return { body: own, contentType: contentType ?? UNTYPED }
}

/** What a GET answers for a value: an item as it came, a program's own value as text or JSON; `null` if it has no form. */
export function representationOf(value: unknown): HttpItem | null {
  if (isHttpItem(value)) return value
  if (value instanceof Uint8Array)
    return { body: Buffer.from(value.buffer, value.byteOffset, value.byteLength), contentType: UNTYPED }
  if (typeof value === 'string') return { body: Buffer.from(value), contentType: 'text/plain; charset=utf-8' }
  const json = jsonOf(value)
  return json === undefined ? null : { body: Buffer.from(json), contentType: 'application/json; charset=utf-8' }
}

function isHttpItem(value: unknown): value is HttpItem {
  return (
    typeof value === 'object' &&
    value !== null &&
    'body' in value &&
    Buffer.isBuffer(value.body) &&
    'contentType' in value &&
    typeof value.contentType === 'string'
  )
}

/** `undefined` for what JSON can't hold: functions, cycles, BigInts, a `toJSON` that throws. */
function jsonOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value)
  } catch {
    return undefined
  }
}
