import { type Advice, adviceFor } from '../base/advice.ts'
import type { Finding, FindingName } from './analyses.ts'
import type { Checkup, Facts } from './facts.ts'
import { bytesInWords, countInWords, durationInWords, percentInWords } from './words.ts'

const NAMES: Readonly<Partial<Record<Advice['advice'], FindingName>>> = {
  'more memory': 'more memory pays',
  'less memory': 'memory to spare',
  'other policy': 'another policy does it',
  'needless ttl': 'needless TTL',
}

/** What other limits, another policy or no TTL would have brought, by the curves that the last check told. */
export function advice({ settings, caches, curves, minutes }: Facts): Checkup {
  const given = adviceFor({
    ...settings,
    caches: caches.map(({ name, traffic, evicted, expired, medianAge }) => ({
      name,
      items: curves.get(name)?.items ?? traffic.mostItems,
      bytes: curves.get(name)?.bytes ?? traffic.mostBytes,
      hits: traffic.hits,
      misses: traffic.misses,
      evicted: [...evicted.values()].reduce((sum, { count }) => sum + count, 0),
      expired,
      ttl: settings.caches[name]?.ttl ?? Number.POSITIVE_INFINITY,
      medianAge,
      curve: curves.get(name)?.curve ?? null,
    })),
    shadows: [],
  })
  const held = [...curves.values()].filter(({ items }) => items > 0)
  const curved = held.filter(({ curve }) => curve !== null).length
  const lacking =
    curved === held.length ? '' : ` of ${countInWords(held.length, 'cache')} (so nothing is said of memory)`
  return {
    looked: `what other settings would have brought: ${countInWords(curved, 'miss-ratio curve')}${lacking}, ${countInWords(Math.round(minutes), 'minute')}`,
    findings: given.flatMap((one) => finding(one)),
  }
}

function finding({ advice, cache, text, setting, from, to, error, source }: Advice): Finding[] {
  const name = NAMES[advice]
  if (name === undefined) return []
  const shown = (value: string | number) => (typeof value === 'string' ? value : inWords(setting, value))
  const basis =
    source === 'curve'
      ? `By the miss-ratio curve that the cache keeps on a sample of its keys, to within ${percentInWords(error)}.`
      : 'By the ages of what was evicted, and how few entries expired.'
  return [
    {
      finding: name,
      cache,
      severity: 'notice',
      evidence: [text, basis],
      setting,
      from: shown(from),
      to: shown(to),
      value: setting.includes('.') ? null : to,
      advice: ADVICE[advice] ?? '',
    },
  ]
}

const ADVICE: Readonly<Partial<Record<Advice['advice'], string>>> = {
  'more memory': 'Worth it if these hits are worth the room.',
  'less memory': 'Worth it if the room is wanted elsewhere.',
  'other policy': 'Try it as a shadow first: option shadow.',
  'needless ttl': 'Drop the TTL, or give the cache more room if entries should live that long.',
}

function inWords(setting: string, value: number): string {
  if (!Number.isFinite(value)) return 'Infinity'
  if (setting === 'maxMemory') return bytesInWords(value)
  return setting.endsWith('.ttl') ? durationInWords(value) : String(value)
}
