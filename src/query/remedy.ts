import type { Settings } from '../base/settings.ts'
import type { LimitName } from '../event/vocabulary.ts'
import type { EvictionRecord } from './answers.ts'
import { bytesInWords, countInWords, durationInWords } from './words.ts'

/* What would have kept an entry: the setting that was the binding one, by name, and what it was then. */

/** Settings as they were when it happened. */
export function remedyForEviction(record: EvictionRecord, settings: Settings): string {
  const { cause, cache, trigger } = record
  const counted = cause === 'items' || cause === 'cache-items'
  const room = trigger === null || counted ? '' : `, with room for the ${bytesInWords(trigger.size)} that came`
  const instead = settings.onFull === 'reject' ? '' : ` Or onFull: 'reject', which refuses the new write instead.`
  switch (cause) {
    case 'memory':
    case 'heap':
    case 'items':
    case 'cache-items':
    case 'cache-memory':
      return `What would have kept it: a higher ${limitInWords(cause, cache, settings)}${room}.${instead}`
    case 'threshold':
      return `What would have kept it: a higher ${limitInWords('memory', cache, settings)}, or a higher evictionThreshold (it was ${settings.evictionThreshold}; the cycle evicted down to ${settings.evictionTarget}).`
    case 'pressure':
      return 'What would have kept it: more memory for the process or its container, or a lower maxMemory, so that pressure does not arise.'
    case 'forced':
      return 'What would have kept it: nothing in the settings; the call to evict() asked for it.'
    case 'limit-lowered':
      return 'What would have kept it: the former limit; the change of settings just before has it.'
    case 'admission':
      return `What would have kept it: more uses of it or a higher cost stated when it was stored, or a policy without admission (it was ${record.policy}), or a higher ${limitInWords('memory', cache, settings)}.`
  }
}

/** For an add that was refused. */
export function remedyForRefusal(limitName: LimitName | null, cache: string, settings: Settings): string {
  if (limitName === null) return 'What would have let it in: more uses of the key, or a policy without admission.'
  const reject = settings.onFull === 'reject' ? ` Or onFull: 'evict', which makes room instead of refusing.` : ''
  return `What would have let it in: a higher ${limitInWords(limitName, cache, settings)}.${reject}`
}

export function remedyForExpiry(age: number, cache: string, settings: Settings): string {
  const own = settings.caches[cache]?.ttl
  const ttl = own === undefined || own === Number.POSITIVE_INFINITY ? 'none of its own' : durationInWords(own)
  return `What would have kept it: a longer ttl, given to set() or as caches.${cache}.ttl (it was ${ttl}); its value lived ${durationInWords(age)}.`
}

function limitInWords(name: LimitName, cache: string, settings: Settings): string {
  const own = settings.caches[cache]
  switch (name) {
    case 'memory':
      return `maxMemory (it was ${bytesInWords(settings.maxMemory)})`
    case 'heap':
      return `maxHeap (it was ${bytesInWords(settings.maxHeap)})`
    case 'items':
      return `maxItems (it was ${itemsInWords(settings.maxItems)})`
    case 'cache-items':
      return `caches.${cache}.maxItems (it was ${own === undefined ? 'not recorded' : itemsInWords(own.maxItems)})`
    case 'cache-memory':
      return `caches.${cache}.maxMemory (it was ${own === undefined ? 'not recorded' : bytesInWords(own.maxMemory)})`
  }
}

function itemsInWords(items: number): string {
  return items === Number.POSITIVE_INFINITY ? 'unlimited' : countInWords(items, 'item')
}
