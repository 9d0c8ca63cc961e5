import { createHash } from 'node:crypto'

const UNTYPED = 'application/octet-stream'

/** An item as a PUT brought it: its bytes and what they are, to be given back as they came. */
export class HttpItem {
  readonly body: Buffer
  readonly contentType: string
  /** How its bytes are coded, as `gzip` (RFC 9110, 8.4); `null`: as they are. */
  readonly contentEncoding: string | null
  /** Strong: made of the bytes and what they are, so that the same item has the same one after a restart, too. */
  readonly etag: string

  constructor(body: Buffer, contentType: string, contentEncoding: string | null = null) {
    this.body = body
    this.contentType = contentType
    this.contentEncoding = contentEncoding
    this.etag = etagOf(body, contentEncoding === null ? contentType : `${contentType}\0${contentEncoding}`)
  }
}

/**
 * The body in memory of its own. What the server hands over may be a slice of Node's shared 8 KiB pool, and a small
 * item would keep the whole of it alive.
 */
export function itemOf(body: Buffer, contentType: string | undefined, contentEncoding?: string): HttpItem {
  const own = Buffer.allocUnsafeSlow(body.length)
  body.copy(own)
  const coding = contentEncoding?.trim().toLowerCase() ?? ''
  return new HttpItem(own, contentType ?? UNTYPED, coding === '' || coding === 'identity' ? null : coding)
}

/** What a GET answers for a value: an item as it came, a program's own value as text or JSON; `null` if it has no form. */
export function representationOf(value: unknown): HttpItem | null {
  if (value instanceof HttpItem) return value
  if (value instanceof Uint8Array)
    return new HttpItem(Buffer.from(value.buffer, value.byteOffset, value.byteLength), UNTYPED)
  if (typeof value === 'string') return new HttpItem(Buffer.from(value), 'text/plain; charset=utf-8')
  const json = jsonOf(value)
  return json === undefined ? null : new HttpItem(Buffer.from(json), 'application/json; charset=utf-8')
}

/** 16 of the hash's 32 bytes: two items share a tag with a chance of 2^-64 among 2^32 of them. */
function etagOf(body: Buffer, what: string): string {
  return `"${createHash('sha256').update(what).update('\0').update(body).digest().toString('base64url', 0, 16)}"`
}

/** `undefined` for what JSON can't hold: functions, cycles, BigInts, a `toJSON` that throws. */
function jsonOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value)
  } catch {
    return undefined
  }
}
