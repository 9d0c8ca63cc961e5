import { createReadStream } from 'node:fs'
import { pipeline, type Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { TraceError } from '../base/errors.ts'
import { TraceParser, type TraceRequest } from './trace-parser.ts'

/** Bytes of a trace read at once: some 20,000 requests. */
const CHUNK = 128 * 1024

/** The name that stands for standard input. */
const STANDARD_INPUT = '-'

/**
 * Reads a trace in batches of requests: one a line, `key` or `key,size` or `key,size,ttl_ms`; gunzipped where the name
 * ends with `.gz`; `-` is standard input. Keys are UTF-8 text of 1 to 65,536 bytes without commas, taken as they stand;
 * sizes are integers ≥ 0, TTLs integers ≥ 1. A byte order mark at the start, `\r` at the end of lines and a last line
 * without its newline are fine; an empty line is malformed.
 *
 * @throws {TraceError} where the file can't be read, or for the first malformed line, after the requests before it.
 */
export async function* readTrace(file: string): AsyncGenerator<readonly TraceRequest[], void, undefined> {
  const name = file === STANDARD_INPUT ? 'standard input' : file
  const parser = new TraceParser()
  for await (const chunk of chunksOf(file, name)) {
    const batch = parser.parse(chunk)
    if (batch.length > 0) yield batch
    if (parser.malformed !== null) throw new TraceError(name, parser.malformed.line, parser.malformed.problem)
  }
  const rest = parser.end()
  if (rest.length > 0) yield rest
  if (parser.malformed !== null) throw new TraceError(name, parser.malformed.line, parser.malformed.problem)
}

async function* chunksOf(file: string, name: string): AsyncGenerator<Buffer, void, undefined> {
  try {
    for await (const chunk of open(file)) yield chunk as Buffer
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new TraceError(name, 0, `the trace can't be read: ${reason}`, { cause: error })
  }
}

function open(file: string): Readable {
  if (file === STANDARD_INPUT) return process.stdin
  const raw = createReadStream(file, { highWaterMark: CHUNK })
  // Errors of `raw` reach the reader through `pipeline`, which destroys the last stream with them.
  return file.endsWith('.gz') ? pipeline(raw, createGunzip({ chunkSize: CHUNK }), () => {}) : raw
}
