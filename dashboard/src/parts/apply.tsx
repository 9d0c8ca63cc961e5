import { Fragment } from 'preact'
import { bytes, count } from '../../../src/serve/cli/text.ts'
import { ask } from '../api/client.ts'
import { bodyOf, type Change, type Preview, type Settings, settingIn, settingText } from '../api/settings.ts'
import { useAnswer } from '../api/use-answer.ts'
import { refresh } from '../live/memory.ts'
import { Confirm } from './confirm.tsx'
import { Answer } from './states.tsx'

/** Says what a change of settings would do, and does it once that is confirmed. */
export function Apply({ changes, close, done }: { changes: readonly Change[]; close: () => void; done: () => void }) {
  const now = useAnswer<Settings>('api/cache/memory/settings')
  const body = bodyOf(changes)
  const preview = useAnswer<Preview>('api/cache/memory/settings/preview', {}, { body })
  const act = async () => {
    await ask('api/cache/memory/settings', { method: 'POST', body })
    refresh()
    done()
  }
  return (
    <Confirm title="Apply this change?" button="Apply" ready={preview.value !== null} act={act} close={close}>
      <dl class="pairs">
        {changes.map(({ field, to }) => (
          <Fragment key={field.id}>
            <dt>{field.label}</dt>
            <dd>
              {settingText(field, now.value === null ? undefined : settingIn(field, now.value))} becomes{' '}
              <b>{settingText(field, to)}</b>
            </dd>
          </Fragment>
        ))}
      </dl>
      <Answer of={preview} lines={1}>
        {(known) => <Consequence of={known} />}
      </Answer>
      <p class="muted">It is recorded in the audit log, with who did it, and shown in the timeline.</p>
    </Confirm>
  )
}

/** In words what would be evicted at once. */
function Consequence({ of }: { of: Preview }) {
  const { items, bytes: size } = of.evicts
  if (items === 0) return <p>Nothing is evicted by it at once.</p>
  const parts = of.caches.filter((cache) => cache.items > 0)
  return (
    <p>
      This evicts {of.isExact ? '' : 'about '}
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
