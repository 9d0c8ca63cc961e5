import { countInWords } from '../../../src/query/words.ts'
import { duration } from '../../../src/serve/cli/text.ts'
import type { Explanation, Item } from '../api/answers.ts'
import { localText, Time } from './figures.tsx'

type Event = Explanation['items'][number]

/** A time in which the key was there, and how it left. */
interface Stay {
  readonly from: number
  readonly to: number
  readonly end: string
  readonly text: string
}

const ENDS = ['evicted', 'expired', 'removed', 'cleared']

/** A key's life on one line: when it was there, how it left each time, when it was missed. */
export function Life({ of, item }: { of: Explanation; item: Item | null }) {
  const now = Date.now()
  const stays = staysIn(of.items, item, now)
  const missed = of.items.filter((event) => event.type === 'missed' && event.data.regret !== null)
  const refused = of.items.filter((event) => event.type === 'rejected')
  const times = [...stays.map((stay) => stay.from), ...of.items.map((event) => Date.parse(event.at))]
  if (times.length === 0) return null
  const from = Math.min(...times)
  const to = item === null ? Math.max(...times, ...stays.map((stay) => stay.to)) : now
  const span = Math.max(1, to - from)
  const place = (at: number) => ((at - from) / span) * 1000
  const evicted = stays.filter((stay) => stay.end === 'evicted').length
  return (
    <figure class="life">
      <svg
        viewBox="0 0 1000 44"
        preserveAspectRatio="none"
        role="img"
        aria-label={`From ${localText(from)} to ${localText(to)}: there ${countInWords(stays.length, 'time')}, evicted ${countInWords(evicted, 'time')}, missed afterwards ${countInWords(missed.length, 'time')}`}
      >
        <line x1="0" x2="1000" y1="22" y2="22" class="gone" vector-effect="non-scaling-stroke" />
        {stays.map((stay) => (
          <rect
            key={`${stay.from} ${stay.to}`}
            x={place(stay.from)}
            width={Math.max(1.5, place(stay.to) - place(stay.from))}
            y="14"
            height="16"
            class="there"
          >
            <title>{`${localText(stay.from)}: there for ${duration(stay.to - stay.from)}; ${stay.text}`}</title>
          </rect>
        ))}
        {stays
          .filter((stay) => ENDS.includes(stay.end))
          .map((stay) => (
            <line
              key={`${stay.to} end`}
              x1={place(stay.to)}
              x2={place(stay.to)}
              y1="6"
              y2="38"
              class="end"
              data-end={stay.end}
              vector-effect="non-scaling-stroke"
            >
              <title>{`${localText(stay.to)}: ${stay.text}`}</title>
            </line>
          ))}
        {[...missed, ...refused].map((event) => (
          <line
            key={`${event.run}:${event.seq}`}
            x1={place(Date.parse(event.at))}
            x2={place(Date.parse(event.at))}
            y1="36"
            y2="44"
            class="end"
            data-end={event.type}
            vector-effect="non-scaling-stroke"
          >
            <title>{`${localText(Date.parse(event.at))}: ${event.text}`}</title>
          </line>
        ))}
      </svg>
      <figcaption>
        <Time at={from} />
        <span class="legend">
          <i class="there" /> there <i data-end="evicted" /> evicted <i data-end="expired" /> expired or removed{' '}
          <i data-end="missed" class="low" /> missed
        </span>
        {item === null ? <Time at={to} /> : <span>now</span>}
      </figcaption>
    </figure>
  )
}

/** Its stays by what the log has: each departure knows when its value was stored, or how old it was. */
function staysIn(life: readonly Event[], item: Item | null, now: number): Stay[] {
  const stays: Stay[] = []
  for (const event of life) {
    const at = Date.parse(event.at)
    const { storedAt, age, previousAge } = event.data
    if (event.type === 'updated' && typeof previousAge === 'number')
      stays.push({ from: at - previousAge, to: at, end: 'updated', text: event.text })
    if (!ENDS.includes(event.type)) continue
    const from = typeof storedAt === 'string' ? Date.parse(storedAt) : typeof age === 'number' ? at - age : at
    stays.push({ from, to: at, end: event.type, text: event.text })
  }
  if (item !== null)
    stays.push({ from: Date.parse(item.stored_at), to: now, end: 'present', text: 'it is still there' })
  return stays
}
