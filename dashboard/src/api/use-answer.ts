import { useEffect, useRef, useState } from 'preact/hooks'
import { restarts } from '../live/memory.ts'
import { type ApiError, address, ask, type Query } from './client.ts'

/** What is known of an answer: the last one stays while a newer is being asked for, so that nothing flickers. */
export interface Answered<T> {
  readonly value: T | null
  readonly error: ApiError | null
  /** Asked, and not yet answered. */
  readonly pending: boolean
  readonly again: () => void
}

interface Known<T> {
  readonly asked: string
  readonly value: T | null
  readonly error: ApiError | null
  readonly pending: boolean
}

/**
 * Asks when the question changes, when the service has begun a new run, and every so many ms where that is given. An
 * answer to another question is never shown for this one, unless `keep` says that they are of a kind.
 */
export function useAnswer<T>(
  path: string | null,
  query: Query = {},
  { every = 0, keep = true, body }: { every?: number; keep?: boolean; body?: object } = {},
): Answered<T> {
  const asked = path === null ? '' : `${address(path, query).href}${body === undefined ? '' : JSON.stringify(body)}`
  const [known, setKnown] = useState<Known<T>>({ asked: '', value: null, error: null, pending: true })
  const [turn, setTurn] = useState(0)
  const latest = useRef(asked)
  latest.current = asked
  const runs = restarts.value

  useEffect(() => {
    if (path === null) return
    const leaving = new AbortController()
    let timer = 0
    const once = async () => {
      setKnown((now) => ({ ...now, asked, pending: true, value: keep || now.asked === asked ? now.value : null }))
      try {
        const posted = body === undefined ? {} : ({ method: 'POST', body } as const)
        const value = await ask<T>(path, { query, ...posted, signal: leaving.signal })
        if (latest.current === asked) setKnown({ asked, value, error: null, pending: false })
      } catch (error) {
        if (leaving.signal.aborted) return
        setKnown((now) => ({ ...now, asked, error: error as ApiError, pending: false }))
      }
      if (every > 0 && !leaving.signal.aborted) timer = window.setTimeout(() => void once(), every)
    }
    void once()
    return () => {
      leaving.abort()
      clearTimeout(timer)
    }
  }, [asked, turn, runs, every])

  return { value: known.value, error: known.error, pending: known.pending, again: () => setTurn((now) => now + 1) }
}
