import type { ComponentType } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { token } from './api/client.ts'
import { connection, moments } from './live/memory.ts'
import { Time } from './parts/figures.tsx'
import { Failed } from './parts/states.tsx'
import { StatusBar } from './parts/status-bar.tsx'
import { TokenForm } from './parts/token-form.tsx'
import { link, route } from './route.ts'
import { Curves } from './views/curves.tsx'
import { Doctor } from './views/doctor.tsx'
import { Evictions } from './views/evictions.tsx'
import { Keys } from './views/keys.tsx'
import { Now } from './views/now.tsx'
import { Regrets } from './views/regrets.tsx'
import { Settings } from './views/settings.tsx'
import { Tail } from './views/tail.tsx'
import { Timeline } from './views/timeline.tsx'

/** Every view, in the order of the navigation. */
const VIEWS: readonly { readonly view: string; readonly name: string; readonly show: ComponentType }[] = [
  { view: 'now', name: 'Now', show: Now },
  { view: 'timeline', name: 'Timeline', show: Timeline },
  { view: 'keys', name: 'Keys', show: Keys },
  { view: 'evictions', name: 'Evictions', show: Evictions },
  { view: 'regrets', name: 'Regrets', show: Regrets },
  { view: 'curves', name: 'Curves', show: Curves },
  { view: 'doctor', name: 'Doctor', show: Doctor },
  { view: 'settings', name: 'Settings', show: Settings },
  { view: 'tail', name: 'Live tail', show: Tail },
]

/** The frame: where one is, how it stands with the service, and the view itself. */
export function App() {
  const { view, path } = route.value
  const shown = VIEWS.find((one) => one.view === view)
  const main = useRef<HTMLElement>(null)
  const nav = useRef<HTMLElement>(null)
  const first = useRef(true)
  const place = [view, ...path].join('/')

  useEffect(() => {
    // On a phone the navigation is longer than the screen.
    const place = nav.current?.querySelector<HTMLElement>('[aria-current]')
    if (nav.current && place) nav.current.scrollLeft = place.offsetLeft - nav.current.clientWidth / 2
    document.title = shown === undefined ? 'Muninn' : `${shown.name} · Muninn`
  }, [shown])

  useEffect(() => {
    // A new view is announced, and reading goes on at its top.
    if (!first.current) main.current?.focus({ preventScroll: true })
    if (!first.current) scrollTo(0, 0)
    first.current = false
  }, [place])

  return (
    <>
      <button type="button" class="skip" onClick={() => main.current?.focus()}>
        To the content
      </button>
      <header class="frame">
        <a class="name" href={link('now')}>
          Muninn
        </a>
        <nav aria-label="Views" ref={nav}>
          {VIEWS.map((one) => (
            <a key={one.view} href={link(one.view)} aria-current={one.view === view ? 'page' : undefined}>
              {one.name}
            </a>
          ))}
        </nav>
        <StatusBar />
      </header>
      <main id="main" ref={main} tabIndex={-1} data-stale={connection.value.state === 'reconnecting'}>
        <Stale />
        {connection.value.state === 'token' ? (
          <TokenForm />
        ) : shown === undefined ? (
          <Failed error={new Error(`There is no view “${view}” here.`)} />
        ) : (
          <shown.show />
        )}
      </main>
      {/* A browser shows no token by itself. */}
      {token.value === null && (
        <footer>
          <a href="api/docs">API</a>
          <a href="openapi.json">OpenAPI</a>
          <a href="metrics">Metrics</a>
        </footer>
      )}
    </>
  )
}

/** Figures that stay while nobody answers must not pass for live ones. */
function Stale() {
  if (connection.value.state !== 'reconnecting') return null
  const last = moments.value.at(-1)
  return (
    <p class="stale">
      Not live: {connection.value.why}.
      {last !== undefined && (
        <>
          {' What is shown is as of '}
          <Time at={last.at} />.
        </>
      )}
    </p>
  )
}
