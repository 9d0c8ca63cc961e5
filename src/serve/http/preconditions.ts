import type { FastifyRequest } from 'fastify'
import { ProblemError } from './problem.ts'

/* RFC 9110, section 13: `If-Match` compares strongly, `If-None-Match` weakly; `*` stands for anything that is there. */

const TAG = /(W\/)?("[\x21\x23-\x7e\x80-\xff]*")/g

/** @throws {ProblemError} (412) where the request is to change only what it knows, and something else is there. */
export function demandPreconditions(request: FastifyRequest, present: () => string | null): void {
  const { 'if-match': match, 'if-none-match': noneMatch } = request.headers
  if (match === undefined && noneMatch === undefined) return
  const etag = present()
  demandMatch(request, etag)
  if (noneMatch !== undefined && isAmong(etag, noneMatch, 'weak')) {
    throw new ProblemError('precondition-failed', 'what If-None-Match names is there already')
  }
}

/** @throws {ProblemError} (412) where `If-Match`, which holds for reading, too, names something else. */
export function demandMatch(request: FastifyRequest, etag: string | null): void {
  const match = request.headers['if-match']
  if (match === undefined || isAmong(etag, match, 'strong')) return
  throw new ProblemError('precondition-failed', 'what is there is not what If-Match names')
}

/** Whether the reader has it already: 304. */
export function isKnown(request: FastifyRequest, etag: string): boolean {
  const noneMatch = request.headers['if-none-match']
  return noneMatch !== undefined && isAmong(etag, noneMatch, 'weak')
}

function isAmong(etag: string | null, list: string, comparison: 'strong' | 'weak'): boolean {
  if (etag === null) return false
  if (list.trim() === '*') return true
  return [...list.matchAll(TAG)].some(([, weak, tag]) => tag === etag && (weak === undefined || comparison === 'weak'))
}
