import { bytes } from '../../../src/serve/cli/text.ts'

/** The settings that can be changed while the service runs, as its route spells them. */
export interface Settings {
  readonly maxMemoryBytes: number | null
  readonly maxCacheSize: number | null
  readonly maxTenantCacheSize: number | null
  readonly maxMimirCacheSize: number | null
  readonly evictionPolicy: string
  readonly evictionThreshold: number
  readonly memoryThreshold: number
}
export type SettingName = keyof Settings
export type SettingsChange = Partial<Settings>

/** What a change would do at once, by what is held now. */
export interface Preview {
  readonly evicts: { readonly items: number; readonly bytes: number }
  readonly caches: readonly { readonly cache: string; readonly items: number; readonly bytes: number }[]
}

export const SETTINGS: readonly {
  readonly name: SettingName
  readonly label: string
  readonly kind: 'bytes' | 'items' | 'share' | 'policy'
  /** What the options of the library, and so the doctor, call it. */
  readonly option: string
}[] = [
  { name: 'maxMemoryBytes', label: 'Memory budget', kind: 'bytes', option: 'maxMemory' },
  { name: 'maxCacheSize', label: 'Items in all', kind: 'items', option: 'maxItems' },
  { name: 'maxTenantCacheSize', label: 'Items in tenant', kind: 'items', option: 'caches.tenant.maxItems' },
  { name: 'maxMimirCacheSize', label: 'Items in mimir', kind: 'items', option: 'caches.mimir.maxItems' },
  { name: 'evictionPolicy', label: 'Eviction policy', kind: 'policy', option: 'policy' },
  { name: 'evictionThreshold', label: 'Eviction threshold', kind: 'share', option: 'evictionThreshold' },
  { name: 'memoryThreshold', label: 'Warning threshold', kind: 'share', option: 'memoryThreshold' },
]

export function settingText(name: SettingName, value: string | number | null | undefined): string {
  if (value === undefined) return '–'
  if (value === null) return 'no limit'
  if (typeof value === 'string') return value
  const kind = SETTINGS.find((one) => one.name === name)?.kind
  if (kind === 'bytes') return bytes(value)
  return kind === 'share' ? `${+(value * 100).toFixed(1)} %` : value.toLocaleString('en')
}

const UNITS: Readonly<Record<string, number>> = { '': 1, b: 1, bytes: 1, kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3 }

/** `48 MB`, `1.5GB` or plain bytes; `null` where the text is none. */
function bytesFrom(text: string): number | null {
  const parts = /^\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*$/i.exec(text)
  const unit = UNITS[(parts?.[2] ?? '').toLowerCase().replace('ib', 'b')]
  return parts === null || unit === undefined ? null : Math.round(Number(parts[1]) * unit)
}

/** What a reader or the doctor wrote, as the route takes it; `undefined` where it is no value of that setting. */
export function settingFrom(name: SettingName, text: string): string | number | null | undefined {
  const kind = SETTINGS.find((one) => one.name === name)?.kind
  if (kind === 'policy') return text
  if (kind === 'bytes') return bytesFrom(text) ?? undefined
  if (kind === 'items' && /^\s*(|infinity|no limit)\s*$/i.test(text)) return null
  const value = Number(text.replaceAll(',', ''))
  return text.trim() === '' || !Number.isFinite(value) ? undefined : value
}
