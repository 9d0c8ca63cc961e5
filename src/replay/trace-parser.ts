import { isUtf8 } from 'node:buffer'

/** One line of a trace. */
export interface TraceRequest {
  readonly key: string
  /** Charged when stored; 1 where the line gives none. */
  readonly size: number
  /** ms; `Infinity` where the line gives none. */
  readonly ttl: number
}

/** Bytes of the longest key, as caches have it. */
const LONGEST_KEY = 65_536
/** Two numbers of 16 digits, commas and line end. */
const LONGEST_LINE = LONGEST_KEY + 36

/** A longer string that is cut from another holds on to it in V8; up to here it is a copy. */
const COPIED = 12

const NEWLINE = 0x0a
const CARRIAGE_RETURN = 0x0d
const COMMA = 0x2c
const ZERO = 0x30
const BYTE_ORDER_MARK = Buffer.from('\ufeff')
const NOTHING = Buffer.alloc(0)

const SIZE_RULE = 'is not a size: give an integer ≥ 0'
const TTL_RULE = 'is not a TTL: give milliseconds, an integer ≥ 1'

/** Takes a trace apart, chunk by chunk; by hand, since a trace has millions of lines. The format is `readTrace`'s. */
export class TraceParser {
  /** The first malformed line; nothing is parsed beyond it. */
  malformed: { readonly line: number; readonly problem: string } | null = null

  /** The line being parsed, from 1. */
  private line = 1
  /** The chunk's last line, whose end is still to come. */
  private rest: Buffer = NOTHING

  /** The requests that end in this chunk. */
  parse(chunk: Buffer): readonly TraceRequest[] {
    const bytes = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk])
    const end = bytes.lastIndexOf(NEWLINE) + 1
    this.rest = bytes.subarray(end)
    const batch = this.parseLines(bytes, end)
    if (this.rest.length > LONGEST_LINE) this.fail(`the line is longer than any key may be (${LONGEST_KEY} bytes)`)
    return batch
  }

  /** The last request, where its line has no end. */
  end(): readonly TraceRequest[] {
    return this.rest.length === 0 ? [] : this.parse(Buffer.of(NEWLINE))
  }

  private parseLines(bytes: Buffer, end: number): TraceRequest[] {
    const batch: TraceRequest[] = []
    // One decoding for all short keys; a byte is a character, so that places are the same.
    const text = bytes.toString('latin1', 0, end)
    let start = this.line === 1 && bytes.indexOf(BYTE_ORDER_MARK) === 0 ? BYTE_ORDER_MARK.length : 0
    while (start < end && this.malformed === null) {
      let at = start
      let comma = -1
      let seen = 0
      for (let byte = bytes[at] as number; byte !== NEWLINE; byte = bytes[++at] as number) {
        seen |= byte
        if (byte === COMMA && comma < 0) comma = at
      }
      const lineEnd = at > start && bytes[at - 1] === CARRIAGE_RETURN ? at - 1 : at
      const keyEnd = comma < 0 ? lineEnd : comma
      const ascii = seen < 0x80
      const key =
        ascii && keyEnd - start <= COPIED ? text.slice(start, keyEnd) : this.longKey(bytes, start, keyEnd, ascii)
      if (this.malformed !== null) break
      if (key.length === 0) this.fail(lineEnd === start ? 'the line is empty' : 'the key is empty')
      else if (comma < 0) batch.push({ key, size: 1, ttl: Number.POSITIVE_INFINITY })
      else this.parseNumbers(key, bytes, comma + 1, lineEnd, batch)
      start = at + 1
      if (this.malformed === null) this.line++
    }
    return batch
  }

  private longKey(bytes: Buffer, start: number, end: number, ascii: boolean): string {
    if (end - start > LONGEST_KEY) this.fail(`the key is longer than ${LONGEST_KEY} bytes`)
    else if (!ascii && !isUtf8(bytes.subarray(start, end))) this.fail('the key is not UTF-8')
    return bytes.toString(ascii ? 'latin1' : 'utf8', start, end)
  }

  private parseNumbers(key: string, bytes: Buffer, from: number, end: number, batch: TraceRequest[]): void {
    const found = bytes.subarray(from, end).indexOf(COMMA)
    const sizeEnd = found < 0 ? end : from + found
    const size = parseInteger(bytes, from, sizeEnd)
    const ttl = found < 0 ? Number.POSITIVE_INFINITY : parseInteger(bytes, sizeEnd + 1, end)
    if (size < 0) this.fail(`${quoted(bytes, from, sizeEnd)} ${SIZE_RULE}`)
    else if (ttl < 1) this.fail(`${quoted(bytes, sizeEnd + 1, end)} ${TTL_RULE}`)
    else batch.push({ key, size, ttl })
  }

  private fail(problem: string): void {
    this.malformed ??= { line: this.line, problem }
  }
}

/** The decimal integer that stands there, or -1. */
function parseInteger(bytes: Buffer, from: number, end: number): number {
  let value = end > from ? 0 : -1
  for (let at = from; at < end; at++) {
    const digit = (bytes[at] as number) - ZERO
    if (digit < 0 || digit > 9) return -1
    value = value * 10 + digit
    if (value > Number.MAX_SAFE_INTEGER) return -1
  }
  return value
}

/** What stands there, as an error message shows it. */
function quoted(bytes: Buffer, from: number, end: number): string {
  return JSON.stringify(bytes.toString('utf8', from, Math.min(end, from + 40)))
}
