import { useEffect, useState } from 'preact/hooks'
import { POLICIES } from '../../../src/base/settings.ts'
import { bytes, count, percent } from '../../../src/serve/cli/text.ts'
import type { Change, Page } from '../api/answers.ts'
import { ask } from '../api/client.ts'
import {
  type Settings as Known,
  SETTINGS,
  type SettingName,
  type SettingsChange,
  settingFrom,
  settingText,
} from '../api/settings.ts'
import { useAnswer } from '../api/use-answer.ts'
import { memory, refresh } from '../live/memory.ts'
import { Apply } from '../parts/apply.tsx'
import { Confirm } from '../parts/confirm.tsx'
import { Key } from '../parts/figures.tsx'
import { Panel } from '../parts/panel.tsx'
import { RecordedTable } from '../parts/recorded.tsx'
import { Answer, Empty, Incomplete } from '../parts/states.tsx'

/** Limits, thresholds and policy: what holds, what a change would do, and who changed what. */
export function Settings() {
  const settings = useAnswer<Known>('api/cache/memory/settings')
  const changes = useAnswer<Page<Change>>('api/audit/changes', { limit: 20 })
  const [said, setSaid] = useState('')
  const again = (text: string) => {
    setSaid(text)
    settings.again()
    changes.again()
  }
  return (
    <>
      <h1 class="sr">Settings</h1>
      <p role="status" class={said === '' ? 'sr' : 'done'}>
        {said}
      </p>
      <div class="columns">
        <Panel title="Limits and policy" aside="until the process ends">
          <Answer of={settings} lines={8}>
            {(known) => <Form known={known} done={() => again('Applied, and recorded in the audit log.')} />}
          </Answer>
        </Panel>
        <Panel title="Now and then">
          <Deeds done={again} />
        </Panel>
      </div>
      <Panel title="Who changed what" aside="latest first">
        <Answer of={changes}>
          {({ items, incomplete }) => (
            <>
              <Incomplete text={incomplete} />
              <Changes rows={items.filter((row) => row.data.reason !== 'cache-created')} />
            </>
          )}
        </Answer>
      </Panel>
    </>
  )
}

function Form({ known, done }: { known: Known; done: () => void }) {
  const [texts, setTexts] = useState<Partial<Record<SettingName, string>>>({})
  const [applying, setApplying] = useState(false)
  // What was applied is what holds: nothing is left to be told apart from it.
  useEffect(() => setTexts({}), [JSON.stringify(known)])

  const wrong: SettingName[] = []
  const change: Record<string, string | number | null> = {}
  for (const [name, text] of Object.entries(texts) as [SettingName, string][]) {
    const value = settingFrom(name, text)
    const share = SETTINGS.find((one) => one.name === name)?.kind === 'share'
    const taken = share && typeof value === 'number' ? value / 100 : value
    if (taken === undefined) wrong.push(name)
    else if (taken !== known[name]) change[name] = taken
  }
  const changed = Object.keys(change).length

  return (
    <form
      class="settings"
      onSubmit={(event) => {
        event.preventDefault()
        if (changed > 0 && wrong.length === 0) setApplying(true)
      }}
    >
      {SETTINGS.map(({ name, label, kind }) => (
        <div class="setting" key={name} data-changed={name in change}>
          <label for={name}>{label}</label>
          {kind === 'policy' ? (
            <select
              id={name}
              value={texts[name] ?? String(known[name])}
              onChange={(event) => setTexts({ ...texts, [name]: event.currentTarget.value })}
            >
              {POLICIES.map((policy) => (
                <option key={policy} value={policy}>
                  {policy}
                </option>
              ))}
            </select>
          ) : (
            <span class="with-unit">
              <input
                id={name}
                inputMode={kind === 'bytes' ? 'text' : 'decimal'}
                value={texts[name] ?? editable(name, known[name])}
                placeholder={kind === 'items' ? 'no limit' : ''}
                aria-invalid={wrong.includes(name)}
                onInput={(event) => setTexts({ ...texts, [name]: event.currentTarget.value })}
              />
              {kind === 'share' && <span>% of the budget</span>}
              {kind === 'items' && <span>items</span>}
            </span>
          )}
          <small>{name in change ? `now ${settingText(name, known[name])}` : ''}</small>
        </div>
      ))}
      <div class="actions">
        <button type="button" disabled={Object.keys(texts).length === 0} onClick={() => setTexts({})}>
          Undo
        </button>
        <button type="submit" class="primary" disabled={changed === 0 || wrong.length > 0}>
          See what it would do…
        </button>
      </div>
      {applying && <Apply change={change as SettingsChange} close={() => setApplying(false)} done={done} />}
    </form>
  )
}

function editable(name: SettingName, value: string | number | null): string {
  if (value === null) return ''
  const kind = SETTINGS.find((one) => one.name === name)?.kind
  if (kind === 'bytes') return bytes(Number(value))
  return kind === 'share' ? String(+(Number(value) * 100).toFixed(2)) : String(value)
}

interface Deed {
  readonly title: string
  readonly path: string
  readonly body: object
  readonly button: string
  readonly text: string
}

/** What is done once, not set: an eviction by hand, statistics from zero. */
function Deeds({ done }: { done: (text: string) => void }) {
  const now = memory.value
  const [target, setTarget] = useState(60)
  const [deed, setDeed] = useState<Deed | null>(null)
  const budget = now?.max_memory_bytes ?? 0
  const freed = now === null ? 0 : Math.max(0, now.current_memory_bytes - (target / 100) * budget)
  const mean = now === null || now.cache_item_count === 0 ? 0 : now.current_memory_bytes / now.cache_item_count
  const about = mean === 0 ? 0 : Math.ceil(freed / mean)
  return (
    <div class="deeds">
      <label>
        Evict down to
        <span class="with-unit">
          <input
            type="number"
            min={0}
            max={99}
            value={target}
            onInput={(event) => setTarget(Number(event.currentTarget.value))}
          />
          <span>% of the budget</span>
        </span>
      </label>
      <p class="muted">
        {freed === 0
          ? 'Less than that is held: nothing would be evicted.'
          : `Frees ${bytes(freed)}, about ${count(about)} entries.`}
      </p>
      <button
        type="button"
        disabled={freed === 0}
        onClick={() =>
          setDeed({
            title: 'Evict now?',
            path: 'api/cache/memory/evict',
            body: { target: target / 100 },
            button: 'Evict',
            text: `This evicts about ${count(about)} entries, ${bytes(freed)}, down to ${percent(target / 100)} of the budget, in one call.`,
          })
        }
      >
        Evict…
      </button>
      <hr />
      <p class="muted">Statistics and peaks begin anew from the present; contents and the audit log stay.</p>
      <button
        type="button"
        onClick={() =>
          setDeed({
            title: 'Reset the statistics?',
            path: 'api/cache/memory/reset',
            body: {},
            button: 'Reset',
            text: 'Hit rates, counts and peaks begin at zero. Contents and the audit log stay.',
          })
        }
      >
        Reset statistics…
      </button>
      {deed !== null && <Confirmed deed={deed} close={() => setDeed(null)} done={done} />}
    </div>
  )
}

function Confirmed({ deed, close, done }: { deed: Deed; close: () => void; done: (text: string) => void }) {
  const act = async () => {
    const { message } = await ask<{ message: string }>(deed.path, { method: 'POST', body: deed.body })
    refresh()
    done(message)
  }
  return (
    <Confirm title={deed.title} button={deed.button} act={act} close={close}>
      <p>{deed.text}</p>
    </Confirm>
  )
}

function Changes({ rows }: { rows: readonly Change[] }) {
  if (rows.length === 0) return <Empty title="Nobody has changed anything" />
  return (
    <RecordedTable
      label="Changes"
      rows={rows}
      also={{
        name: 'Who',
        cell: (row) => (row.actor === null ? <span class="muted">–</span> : <Key of={row.actor} />),
      }}
    />
  )
}
