import { fingerprintOf, storedKeys, storedPrefixes } from '../base/redaction.ts'
import type { EvictionQuestion } from './answers.ts'
import type { LifeQuestion } from './life.ts'
import type { Asked } from './question.ts'

/* A key as it is asked for, and as a log may have it: hashed, if the run that wrote it had `redactKeys`. */

/** What a question about keys carries besides: the reader's thread never sees the secret. */
export interface StoredKeys {
  /** Every text under which the key may be in the log. */
  readonly keys?: readonly string[]
  /** Every text with which those may begin that begin with the prefix. */
  readonly prefixes?: readonly string[]
  /** Which secret was given; `null`: none. */
  readonly secretId: string | null
}

export type StoredEvictionQuestion = Asked<EvictionQuestion> & StoredKeys
export type StoredLifeQuestion = LifeQuestion & StoredKeys & { readonly keys: readonly string[] }

export function storedKey<Q extends { readonly key: string }>(question: Q, secret: string | null) {
  return { ...question, keys: storedKeys(question.key, secret), secretId: secretId(secret) }
}

export function storedEvictions(question: Asked<EvictionQuestion>, secret: string | null): StoredEvictionQuestion {
  const { key, prefix } = question
  return {
    ...question,
    ...(key === undefined ? {} : { keys: storedKeys(key, secret) }),
    ...(prefix === undefined ? {} : { prefixes: storedPrefixes(prefix, secret) }),
    secretId: secretId(secret),
  }
}

function secretId(secret: string | null): string | null {
  return secret === null ? null : fingerprintOf(secret)
}
