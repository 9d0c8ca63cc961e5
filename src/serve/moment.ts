import { parseTime } from './time.ts'

/** `{ seq }` of digits alone, `{ at }` of a time; `undefined` where the text is neither. */
export function parseMoment(text: string, now: number): { seq: number } | { at: number } | undefined {
  if (/^[1-9]\d{0,14}$/.test(text)) return { seq: Number(text) }
  const at = parseTime(text, now)
  return at === undefined ? undefined : { at }
}
