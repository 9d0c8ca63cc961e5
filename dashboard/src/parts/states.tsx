import type { ComponentChildren } from 'preact'
import type { Answered } from '../api/use-answer.ts'

/** Nothing to show, and why that may be so. */
export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <p>{title}</p>
      {children !== undefined && <p class="muted">{children}</p>}
    </div>
  )
}

/** The answer's content, or in its place that it is on its way, failed, or isn't there. */
export function Answer<T>({
  of,
  children,
  lines = 4,
}: {
  of: Answered<T>
  children: (value: T) => ComponentChildren
  /** Lines that its placeholder has. */
  lines?: number
}) {
  if (of.value === null) {
    if (of.error === null) return <Loading lines={lines} />
    return <Failed error={of.error} again={of.again} />
  }
  return (
    <>
      {of.error !== null && of.error.status !== 0 && <Failed error={of.error} again={of.again} />}
      {children(of.value)}
    </>
  )
}

export function Loading({ lines }: { lines: number }) {
  return (
    <div class="loading" role="status" aria-label="Loading">
      {Array.from({ length: lines }, (_, line) => (
        <span key={line} style={{ width: `${92 - ((line * 37) % 50)}%` }} />
      ))}
    </div>
  )
}

const WHY: Readonly<Record<string, string>> = {
  'no-audit-log':
    'This service keeps no audit log, so nothing of the past can be asked. Start it with an audit log to see this view.',
  unreachable: 'The service does not answer.',
}

export function Failed({ error, again }: { error: Error & { kind?: string }; again?: () => void }) {
  return (
    <div class="failed" role="alert">
      <p>{WHY[error.kind ?? ''] ?? error.message}</p>
      {again !== undefined && error.kind !== 'no-audit-log' && (
        <button type="button" onClick={again}>
          Try again
        </button>
      )}
    </div>
  )
}

/** What an answer says of its own gaps. */
export function Incomplete({ text }: { text: string | null | undefined }) {
  if (text === null || text === undefined) return null
  return <p class="incomplete">Incomplete: {text}</p>
}
