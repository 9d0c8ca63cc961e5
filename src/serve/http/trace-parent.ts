/** `version-traceid-parentid-flags`; a later version may have more behind it. */
const TRACE_PARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?$/

/** The trace id of a W3C `traceparent`; `null` where the header is missing or, as the standard has it, to be ignored. */
export function traceIdOf(header: string | readonly string[] | undefined): string | null {
  if (typeof header !== 'string') return null
  const [, version, traceId = '', parentId = '', more] = TRACE_PARENT.exec(header.trim()) ?? []
  if (version === undefined || version === 'ff' || (version === '00' && more !== undefined)) return null
  return /^0+$/.test(traceId) || /^0+$/.test(parentId) ? null : traceId
}
