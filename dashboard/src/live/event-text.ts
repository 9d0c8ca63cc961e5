import type { EventOf } from '../../../src/event/catalogue.ts'
import { sentence } from '../../../src/query/sentences.ts'
import { bytesInWords, countInWords, durationInWords } from '../../../src/query/words.ts'
import { count } from '../../../src/serve/cli/text.ts'

type Data = Readonly<Record<string, unknown>>

function share(value: unknown): string {
  return typeof value === 'number' ? `${+(value * 100).toFixed(1)} %` : '?'
}

const number = (value: unknown) => (typeof value === 'number' ? value : 0)

/** What the audit log has no sentence for, because it isn't about one key. */
const TEXTS: Readonly<Record<string, (data: Data) => string>> = {
  evicted: ({ cause, policy, size, age, hits }) =>
    `${cause}, by ${policy}: ${bytesInWords(number(size))}, ${durationInWords(number(age))} old, ${countInWords(number(hits), 'hit')}`,
  warned: (data) =>
    `${data.level}, from ${data.from}, at ${share(data.usage)}${filledBy(data as unknown as EventOf<'warned'>)}`,
  'cycle-started': ({ trigger, usage }) => `${trigger}, at ${share(usage)}`,
  'cycle-continued': ({ count, bytes }) =>
    `${countInWords(number(count), 'entry', 'entries')}, ${bytesInWords(number(bytes))}`,
  'cycle-completed': ({ trigger, count, bytes, usageBefore, usageAfter }) =>
    `${trigger}: ${countInWords(number(count), 'entry', 'entries')}, ${bytesInWords(number(bytes))}, from ${share(usageBefore)} to ${share(usageAfter)}`,
  checked: ({ bytes, items, level, rss }) =>
    `${bytesInWords(number(bytes))}, ${countInWords(number(items), 'item')}, level ${level}, process ${bytesInWords(number(rss))}`,
  peaked: ({ metric, value, previous }) =>
    metric === 'items'
      ? `items: ${count(number(value))} after ${count(number(previous))}`
      : `${metric}: ${bytesInWords(number(value))} after ${bytesInWords(number(previous))}`,
  configured: ({ reason, to }) => `${reason}: ${JSON.stringify(to)}`,
  'budget-changed': ({ reason, to }) => `${reason}: ${JSON.stringify(to)}`,
  adapted: ({ from, to, reason }) => `from ${from} to ${to}, ${reason}`,
  divided: ({ unit, shares }) =>
    `by ${unit}: ${(shares as EventOf<'divided'>['shares']).map(({ cache, from, to }) => `${cache} from ${share(from)} to ${share(to)}`).join(', ')}`,
  started: ({ runId, version }) => `run ${runId}, version ${version}`,
  stopped: ({ reason }) => String(reason),
  // What the stream itself has to say.
  'stream-missed': ({ reason, count }) =>
    `missed ${typeof count === 'number' ? countInWords(count, 'event') : 'some events'}${typeof reason === 'string' ? `: ${reason}` : ''}`,
  'stream-resumed': ({ count: events, incomplete }) =>
    `the audit log told ${countInWords(number(events), 'event')} since the connection was lost${typeof incomplete === 'string' ? `; it is incomplete: ${incomplete}` : ''}`,
}

/** Who wrote what since the last change of level, and how long the budget lasts at that rate: `''` where it is falling. */
export function filledBy({ level, since, timeLeft }: Pick<EventOf<'warned'>, 'level' | 'timeLeft'> & Since): string {
  if (level === 'recovered') return ''
  const added = `; ${bytesInWords(since.bytesAdded)} added since the last change of level`
  const writer = since.writers.toSorted((a, b) => b.bytes - a.bytes)[0]
  const most = writer === undefined ? '' : `, ${bytesInWords(writer.bytes)} by ${writer.cache}/${writer.prefix}`
  return `${added}${most}${timeLeft === null ? '' : `; full in ${durationInWords(timeLeft)} at that rate`}`
}

type Since = {
  readonly since: {
    readonly bytesAdded: number
    readonly writers: readonly { readonly cache: string; readonly prefix: string; readonly bytes: number }[]
  }
}

/** An event in words; the key and cache stand before it. */
export function eventText(type: string, data: Data): string {
  const text = TEXTS[type]
  if (text !== undefined) return text(data)
  try {
    const said = sentence(type, data)
    return said === type ? '' : said
  } catch {
    // A field that this version doesn't know yet.
    return ''
  }
}
