import { bytes, count } from '../../../src/serve/cli/text.ts'
import { ask, type Query } from '../api/client.ts'
import {
  type Preview,
  SETTINGS,
  type SettingName,
  type Settings,
  type SettingsChange,
  settingText,
} from '../api/settings.ts'
import { useAnswer } from '../api/use-answer.ts'
import { refresh } from '../live/memory.ts'
import { Confirm } from './confirm.tsx'
import { Answer } from './states.tsx'

/** Says what a change of settings would do, and does it once that is confirmed. */
export function Apply({ change, close, done }: { change: SettingsChange; close: () => void; done: () => void }) {
  const now = useAnswer<Settings>('api/cache/memory/settings')
  const preview = useAnswer<Preview>('api/cache/memory/settings/preview', asQuery(change))
  const act = async () => {
    await ask('api/cache/memory/settings', { method: 'POST', body: change })
    refresh()
    done()
  }
  const changed = SETTINGS.filter(({ name }) => name in change)
  return (
    <Confirm title="Apply this change?" button="Apply" ready={preview.value !== null} act={act} close={close}>
      <dl class="pairs">
        {changed.map(({ name, label }) => (
          <Changed key={name} name={name} label={label} from={now.value?.[name]} to={change[name]} />
        ))}
      </dl>
      <Answer of={preview} lines={1}>
        {(known) => <Consequence of={known} />}
      </Answer>
      <p class="muted">It is recorded in the audit log, with who did it, and shown in the timeline.</p>
    </Confirm>
  )
}

/** A query has no `null`: no limit is `none` there. */
function asQuery(change: SettingsChange): Query {
  return Object.fromEntries(Object.entries(change).map(([name, value]) => [name, value ?? 'none']))
}

function Changed({
  name,
  label,
  from,
  to,
}: {
  name: SettingName
  label: string
  from: string | number | null | undefined
  to: string | number | null | undefined
}) {
  return (
    <>
      <dt>{label}</dt>
      <dd>
        {settingText(name, from)} → <b>{settingText(name, to)}</b>
      </dd>
    </>
  )
}

/** In words what would be evicted at once. */
function Consequence({ of }: { of: Preview }) {
  const { items, bytes: size } = of.evicts
  if (items === 0) return <p>Nothing is evicted by it at once.</p>
  const parts = of.caches.filter((cache) => cache.items > 0)
  return (
    <p>
      This evicts about{' '}
      <b>
        {count(items)} {items === 1 ? 'entry' : 'entries'}, {bytes(size)}
      </b>
      {parts.length > 0 && (
        <span class="muted">
          {' '}
          ({parts.map((part) => `${part.cache} ${count(part.items)}`).join(', ')}, by what is held now)
        </span>
      )}
    </p>
  )
}
