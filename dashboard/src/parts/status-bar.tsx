import { useEffect, useState } from 'preact/hooks'
import { duration } from '../../../src/serve/cli/text.ts'
import { mayChange, READ_ONLY } from '../api/client.ts'
import { connection, memory } from '../live/memory.ts'
import { choose, dark } from '../theme.ts'

/** How it stands with the service, always in sight. */
export function StatusBar() {
  const level = memory.value?.alert_level ?? 'normal'
  return (
    <div class="status">
      {level !== 'normal' && connection.value.state === 'live' && (
        <span class="level" data-level={level}>
          {level}
        </span>
      )}
      {!mayChange.value && <span title={READ_ONLY}>Read only</span>}
      <Link />
      <button
        type="button"
        class="plain"
        aria-label={dark.value ? 'Light colours' : 'Dark colours'}
        title={dark.value ? 'Light colours' : 'Dark colours'}
        onClick={() => choose(dark.value ? 'light' : 'dark')}
      >
        <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
          <circle cx="8" cy="8" r="5.5" fill="none" stroke="currentColor" stroke-width="1.5" />
          <path d="M8 2.5a5.5 5.5 0 0 1 0 11z" fill="currentColor" />
        </svg>
      </button>
    </div>
  )
}

function Link() {
  const link = connection.value
  const [now, setNow] = useState(Date.now())
  const waiting = link.state === 'reconnecting'
  useEffect(() => {
    if (!waiting) return
    const timer = setInterval(() => setNow(Date.now()), 1000)
    return () => clearInterval(timer)
  }, [waiting])
  return (
    <span class="link" data-state={link.state} title={link.state === 'reconnecting' ? link.why : location.host}>
      <i aria-hidden="true" />
      <span role="status">{STATES[link.state]}</span>
      {link.state === 'reconnecting' && (
        <span class="figure"> for {duration(Math.max(0, Math.round((now - link.since) / 1000) * 1000))}</span>
      )}
    </span>
  )
}

const STATES = {
  connecting: 'Connecting',
  live: 'Live',
  reconnecting: 'Reconnecting',
  token: 'Token needed',
} as const
