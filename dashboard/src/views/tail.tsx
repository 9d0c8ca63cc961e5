import { useEffect, useRef, useState } from 'preact/hooks'
import { eventText } from '../live/event-text.ts'
import { type LiveEvent, listen } from '../live/events.ts'
import { CacheChoice, Filters, TextFilter } from '../parts/controls.tsx'
import { Key, localText, rateText, utcText } from '../parts/figures.tsx'
import { Panel } from '../parts/panel.tsx'
import { Empty } from '../parts/states.tsx'
import { keyLink, replaceQuery, route } from '../route.ts'

/** Rows that are kept and shown: what is older stands in the audit log. */
const KEPT = 200
/** How often what came is shown, in ms: more often, nobody could read it. */
const FRAME = 250

/** What there is to choose from, by what one looks for. */
const GROUPS = [
  { name: 'departures', types: ['evicted', 'expired', 'removed', 'cleared', 'rejected'] },
  { name: 'stores', types: ['added', 'updated', 'loaded', 'load-failed'] },
  { name: 'reads', types: ['accessed', 'missed'] },
  {
    name: 'levels and cycles',
    types: ['warned', 'cycle-started', 'cycle-continued', 'cycle-completed', 'peaked'],
  },
  {
    name: 'settings and life',
    types: [
      'configured',
      'budget-changed',
      'adapted',
      'divided',
      'clock-changed',
      'stats-reset',
      'started',
      'stopped',
      'checked',
    ],
  },
] as const
const FIRST_GROUPS = 'departures,levels and cycles,settings and life'

interface Row extends LiveEvent {
  readonly number: number
}

/** Events as they happen, with pause and filters. */
export function Tail() {
  const { cache, prefix, groups = FIRST_GROUPS } = route.value.query
  const chosen = groups.split(',')
  const types = GROUPS.filter((group) => chosen.includes(group.name)).flatMap((group) => [...group.types])
  const asked = types.join(',')
  const [rows, setRows] = useState<readonly Row[]>([])
  const [paused, setPaused] = useState(false)
  const [link, setLink] = useState<{ state: 'opening' | 'open' | 'waiting'; why: string | null }>({
    state: 'opening',
    why: null,
  })
  const [seen, setSeen] = useState({ events: 0, perSecond: 0, held: 0 })
  const stopped = useRef(paused)
  stopped.current = paused

  useEffect(() => {
    if (asked === '') return
    let fresh: Row[] = []
    let number = 0
    let last = { at: performance.now(), number: 0, perSecond: 0 }
    setRows([])
    const stop = listen(
      'api/events',
      { type: asked, cache, prefix },
      {
        events: (batch) => {
          for (const event of batch) fresh.push({ ...event, number: ++number })
          // Out of sight or paused, only the latest are worth keeping.
          if (fresh.length > KEPT * 2) fresh = fresh.slice(-KEPT)
        },
        state: (state, why) => setLink({ state, why }),
      },
    )
    const timer = setInterval(() => {
      const now = performance.now()
      if (now - last.at >= 1000) {
        last = { at: now, number, perSecond: ((number - last.number) * 1000) / (now - last.at) }
      }
      setSeen({ events: number, perSecond: last.perSecond, held: stopped.current ? fresh.length : 0 })
      if (stopped.current || fresh.length === 0) return
      const came = fresh.reverse()
      fresh = []
      setRows((shown) => [...came, ...shown].slice(0, KEPT))
    }, FRAME)
    return () => {
      stop()
      clearInterval(timer)
    }
  }, [asked, cache, prefix])

  useEffect(() => {
    const key = (event: KeyboardEvent) => {
      const { target } = event
      if (event.key !== ' ' || (target instanceof HTMLElement && target.closest('input, select, button, a, dialog')))
        return
      event.preventDefault()
      setPaused((now) => !now)
    }
    addEventListener('keydown', key)
    return () => removeEventListener('keydown', key)
  }, [])

  const toggle = (name: string) => {
    const next = chosen.includes(name) ? chosen.filter((one) => one !== name) : [...chosen, name]
    replaceQuery({ groups: next.length === 0 ? 'none' : next.join(',') })
  }

  return (
    <>
      <h1 class="sr">Live tail</h1>
      <Filters label="Which events">
        <fieldset>
          <legend class="sr">Kinds of events</legend>
          {GROUPS.map(({ name }) => (
            <label key={name} class="check">
              <input type="checkbox" checked={chosen.includes(name)} onChange={() => toggle(name)} />
              {name}
            </label>
          ))}
        </fieldset>
        <CacheChoice />
        <TextFilter name="prefix" label="Key begins with" hint="page:" />
      </Filters>
      <Panel
        title="Live tail"
        aside={
          <>
            <span class="link" data-state={link.state === 'open' ? 'live' : 'reconnecting'} title={link.why ?? ''}>
              <i aria-hidden="true" />
              {paused ? 'Paused' : { opening: 'Opening', open: 'Following', waiting: 'Reconnecting' }[link.state]}
            </span>
            <span class="figure">
              {rateText(seen.perSecond)} events/s, {seen.events.toLocaleString('en')} seen
              {paused && `, ${seen.held.toLocaleString('en')} waiting`}
            </span>
            <button type="button" aria-pressed={paused} onClick={() => setPaused(!paused)} title="Space">
              {paused ? 'Go on' : 'Pause'}
            </button>
          </>
        }
      >
        {link.why !== null && link.state === 'waiting' && <p class="incomplete">{link.why}</p>}
        {asked === '' ? (
          <Empty title="Nothing is chosen">Choose the kinds of events to follow.</Empty>
        ) : rows.length === 0 ? (
          <Empty title="Waiting for events">Whatever happens from now on appears here.</Empty>
        ) : (
          <ol class="tail" aria-label="Events, latest first">
            {rows.map((row) => (
              <Line key={row.number} of={row} />
            ))}
          </ol>
        )}
      </Panel>
    </>
  )
}

function Line({ of: { type, data } }: { of: Row }) {
  const { at, cache, key } = data
  const ms = typeof at === 'number' ? at : Date.parse(String(at))
  return (
    <li data-type={type}>
      {Number.isNaN(ms) ? (
        <span />
      ) : (
        <time class="figure" title={utcText(ms)}>
          {localText(ms)}
        </time>
      )}
      <span class="type">{type}</span>
      <span class="what">
        {typeof cache === 'string' && typeof key === 'string' && (
          <a href={keyLink(cache, key)}>
            <Key of={key} most={64} />
          </a>
        )}
        {typeof cache === 'string' && <small> {cache} </small>}
        {eventText(type, data)}
      </span>
    </li>
  )
}
