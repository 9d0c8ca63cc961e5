import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { TraceError } from '../../src/base/errors.ts'
import { readTrace } from '../../src/replay/trace.ts'
import { TraceParser, type TraceRequest } from '../../src/replay/trace-parser.ts'
import { propertySeed } from '../support/property-seed.ts'

const none = Number.POSITIVE_INFINITY

/** Parses a text that arrives in pieces of these many bytes. */
function parse(text: string | Buffer, piece = 1_000_000) {
  const parser = new TraceParser()
  const bytes = Buffer.from(text)
  const requests: TraceRequest[] = []
  for (let at = 0; at < bytes.length; at += piece) requests.push(...parser.parse(bytes.subarray(at, at + piece)))
  requests.push(...parser.end())
  return { requests, malformed: parser.malformed }
}

/** False for lone surrogates, which no UTF-8 says. */
const isWellFormed = (text: string): boolean => Buffer.from(text).toString() === text

describe('lines of a trace', () => {
  it.each([
    ['a key', 'k\n', { key: 'k', size: 1, ttl: none }],
    ['a size', 'k,0\n', { key: 'k', size: 0, ttl: none }],
    ['a TTL', 'k,12,500\n', { key: 'k', size: 12, ttl: 500 }],
    ['no newline at the end', 'k,12', { key: 'k', size: 12, ttl: none }],
    ['a carriage return', 'k,12,1\r\n', { key: 'k', size: 12, ttl: 1 }],
    ['a byte order mark', '\ufeffk\n', { key: 'k', size: 1, ttl: none }],
    ['spaces, which belong to the key', ' a b \n', { key: ' a b ', size: 1, ttl: none }],
    ['text beyond ASCII', 'ключ/日本,3\n', { key: 'ключ/日本', size: 3, ttl: none }],
    [
      'a long key',
      `${'k'.repeat(65_536)},9007199254740991\n`,
      { key: 'k'.repeat(65_536), size: 9_007_199_254_740_991, ttl: none },
    ],
    ['a hostile key', '__proto__\n', { key: '__proto__', size: 1, ttl: none }],
  ])('%s', (_, text, request) => {
    expect(parse(text)).toEqual({ requests: [request], malformed: null })
  })

  it('none is an empty trace', () => {
    expect(parse('')).toEqual({ requests: [], malformed: null })
  })

  it.each([
    ['an empty line', 'a\n\nb\n', 2, 'the line is empty'],
    ['an empty last line', 'a\nb\n\n', 3, 'the line is empty'],
    ['no key', 'a\nb\n,5\n', 3, 'the key is empty'],
    ['no size', 'a,\n', 1, '"" is not a size'],
    ['a size that is text', 'a,b\n', 1, '"b" is not a size'],
    ['a negative size', 'a,-1\n', 1, '"-1" is not a size'],
    ['a broken size', 'a,1.5\n', 1, '"1.5" is not a size'],
    ['a size with a space', 'a, 1\n', 1, '" 1" is not a size'],
    ['a size that no number can say', 'a,9007199254740992\n', 1, '"9007199254740992" is not a size'],
    ['no size before a TTL', 'a,,5\n', 1, '"" is not a size'],
    ['a TTL of 0', 'a\na,1,0\n', 2, '"0" is not a TTL'],
    ['no TTL', 'a,1,\n', 1, '"" is not a TTL'],
    ['a fourth field', 'a,1,2,3\n', 1, '"2,3" is not a TTL'],
    ['a key too long', `a\n${'k'.repeat(65_537)}\n`, 2, 'the key is longer'],
    ['a line without end', `a\n${'k'.repeat(200_000)}`, 2, 'longer than any key'],
  ])('%s is malformed', (_, text, line, problem) => {
    for (const piece of [1_000_000, 7]) {
      const { requests, malformed } = parse(text, piece)
      expect(malformed?.line).toBe(line)
      expect(malformed?.problem).toContain(problem)
      expect(requests).toHaveLength(line - 1)
    }
  })

  it('bytes that are no UTF-8 are malformed', () => {
    expect(parse(Buffer.from([0x61, 0x0a, 0xff, 0xfe, 0x0a]))).toMatchObject({
      malformed: { line: 2, problem: 'the key is not UTF-8' },
    })
  })

  it('are the same in whatever pieces they arrive', () => {
    const key = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 30 })
      .filter((text) => !/[,\r\n\ufeff]/.test(text) && isWellFormed(text))
    const request = fc.record({
      key,
      size: fc.maxSafeNat(),
      ttl: fc.oneof(
        fc.constant(none),
        fc.maxSafeNat().map((ttl) => ttl + 1),
      ),
    })
    const line = ({ key, size, ttl }: TraceRequest): string =>
      ttl === none ? `${key},${size}` : `${key},${size},${Math.min(ttl, 2 ** 53 - 1)}`
    fc.assert(
      fc.property(fc.array(request, { minLength: 1 }), fc.integer({ min: 1, max: 40 }), (requests, piece) => {
        const text = requests.map(line).join('\n')
        const expected = requests.map((one) => ({
          ...one,
          ttl: one.ttl === none ? none : Math.min(one.ttl, 2 ** 53 - 1),
        }))
        expect(parse(text, piece)).toEqual({ requests: expected, malformed: null })
      }),
      { seed: propertySeed(1), numRuns: 200 },
    )
  })
})

describe('files of traces', () => {
  const folder = mkdtempSync(join(tmpdir(), 'muninn-trace-'))
  afterAll(() => rmSync(folder, { recursive: true }))

  async function read(file: string): Promise<TraceRequest[]> {
    const requests: TraceRequest[] = []
    for await (const batch of readTrace(file)) requests.push(...batch)
    return requests
  }

  const lines = Array.from({ length: 100_000 }, (_, i) => `key-number-${i},${i}`).join('\n')

  it('are read whole, gzipped or not', async () => {
    writeFileSync(join(folder, 'plain.txt'), lines)
    writeFileSync(join(folder, 'packed.txt.gz'), gzipSync(lines))
    const plain = await read(join(folder, 'plain.txt'))
    expect(plain).toHaveLength(100_000)
    expect(plain[99_999]).toEqual({ key: 'key-number-99999', size: 99_999, ttl: none })
    expect(await read(join(folder, 'packed.txt.gz'))).toEqual(plain)
  })

  it('name file and line of what is malformed, after the requests before it', async () => {
    const file = join(folder, 'bad.txt')
    writeFileSync(file, `${lines}\n\nmore\n`)
    const requests: TraceRequest[] = []
    const reading = (async () => {
      for await (const batch of readTrace(file)) requests.push(...batch)
    })()
    await expect(reading).rejects.toThrow(`${file}, line 100001: the line is empty`)
    await expect(reading).rejects.toMatchObject({ code: 'ERR_MUNINN_TRACE', line: 100_001 })
    expect(requests).toHaveLength(100_000)
  })

  it.each([
    ['are not there', 'nowhere.txt'],
    ['are not there, gzipped', 'nowhere.gz'],
    ['are folders', '.'],
  ])('that %s are said to be unreadable', async (_, name) => {
    await expect(read(join(folder, name))).rejects.toThrow(TraceError)
    await expect(read(join(folder, name))).rejects.toMatchObject({ line: 0 })
  })

  it('that are no gzip, or cut off, are said to be unreadable', async () => {
    writeFileSync(join(folder, 'no.gz'), 'a\nb\n')
    writeFileSync(join(folder, 'cut.gz'), gzipSync(lines).subarray(0, 5000))
    await expect(read(join(folder, 'no.gz'))).rejects.toThrow(/no\.gz: the trace can't be read: incorrect header/)
    await expect(read(join(folder, 'cut.gz'))).rejects.toThrow(
      /cut\.gz: the trace can't be read: unexpected end of file/,
    )
  })
})
