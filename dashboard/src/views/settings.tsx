import { useEffect, useId, useState } from 'preact/hooks'
import { countInWords } from '../../../src/query/words.ts'
import { bytes, percent } from '../../../src/serve/cli/text.ts'
import type { Change as ChangeRow, Page } from '../api/answers.ts'
import { ask, mayChange, READ_ONLY } from '../api/client.ts'
import {
  type Change,
  COMMON,
  type Field,
  fieldsOf,
  type Settings as Known,
  settingFrom,
  settingHint,
  settingIn,
  settingText,
  type Value,
} from '../api/settings.ts'
import { useAnswer } from '../api/use-answer.ts'
import { memory, refresh } from '../live/memory.ts'
import { Apply } from '../parts/apply.tsx'
import { Confirm } from '../parts/confirm.tsx'
import { Key } from '../parts/figures.tsx'
import { Panel } from '../parts/panel.tsx'
import { RecordedTable } from '../parts/recorded.tsx'
import { Answer, Empty, Incomplete } from '../parts/states.tsx'
import { Table } from '../parts/table.tsx'

/** Limits, thresholds and policy: what holds, what a change would do, and who changed what. */
export function Settings() {
  const settings = useAnswer<Known>('api/cache/memory/settings')
  const changes = useAnswer<Page<ChangeRow>>('api/audit/changes', { limit: 20 })
  const [said, setSaid] = useState('')
  const again = (text: string) => {
    setSaid(text)
    settings.again()
    changes.again()
  }
  return (
    <>
      <h1 class="sr">Settings</h1>
      {!mayChange.value && <p class="incomplete">{READ_ONLY}</p>}
      <p role="status" class={said === '' ? 'sr' : 'done'}>
        {said}
      </p>
      <div class="columns wide-left">
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
  const [texts, setTexts] = useState<Readonly<Record<string, string>>>({})
  const [applying, setApplying] = useState(false)
  // What was applied is what holds: nothing is left to be told apart from it.
  useEffect(() => setTexts({}), [JSON.stringify(known)])

  const caches = Object.keys(known.caches)
  const changes: Change[] = []
  const wrong = new Set<string>()
  for (const field of [...COMMON, ...caches.flatMap(fieldsOf)]) {
    const text = texts[field.id]
    if (text === undefined) continue
    const to = settingFrom(field, text)
    if (to === undefined) wrong.add(field.id)
    else if (to !== settingIn(field, known)) changes.push({ field, to })
  }
  const input = (field: Field) => (
    <Input
      field={field}
      now={settingIn(field, known)}
      text={texts[field.id]}
      wrong={wrong.has(field.id)}
      changed={changes.some((change) => change.field.id === field.id)}
      write={(text) => setTexts({ ...texts, [field.id]: text })}
    />
  )

  return (
    <form
      class="settings"
      onSubmit={(event) => {
        event.preventDefault()
        if (changes.length > 0 && wrong.size === 0) setApplying(true)
      }}
    >
      <fieldset disabled={!mayChange.value}>
        {COMMON.map((field) => (
          <div class="setting" key={field.id}>
            <label for={field.id}>{field.label}</label>
            {input(field)}
          </div>
        ))}
        {caches.length > 0 && (
          <Table
            label="Single caches"
            rows={caches}
            id={(cache) => cache}
            columns={[
              { name: 'Cache', head: true, cell: (cache) => <Key of={cache} /> },
              ...['Items', 'Memory', 'Time to live'].map((name, index) => ({
                name,
                cell: (cache: string) => input(fieldsOf(cache)[index] as Field),
              })),
            ]}
          />
        )}
        <div class="actions">
          <button type="button" disabled={Object.keys(texts).length === 0} onClick={() => setTexts({})}>
            Undo
          </button>
          <button type="submit" class="primary" disabled={changes.length === 0 || wrong.size > 0}>
            See what it would do…
          </button>
        </div>
      </fieldset>
      {applying && <Apply changes={changes} close={() => setApplying(false)} done={done} />}
    </form>
  )
}

const NOTES: Readonly<Record<string, string>> = { share: '% of the budget', items: 'items' }

/** What a setting is, to be written over; in the form's rows with its unit, in the table of caches without. */
function Input({
  field,
  now,
  text,
  wrong,
  changed,
  write,
}: {
  field: Field
  now: Value | undefined
  text: string | undefined
  wrong: boolean
  changed: boolean
  write: (text: string) => void
}) {
  const { id, kind, cache } = field
  const why = useId()
  const note = cache === null && typeof kind === 'string' ? NOTES[kind] : undefined
  const was = changed ? <small>now {settingText(field, now)}</small> : null
  if (typeof kind !== 'string') {
    return (
      <span class="with-unit" data-changed={changed}>
        <select id={id} value={text ?? String(now)} onChange={(event) => write(event.currentTarget.value)}>
          {kind.map((one) => (
            <option key={one} value={one}>
              {one}
            </option>
          ))}
        </select>
        {was}
      </span>
    )
  }
  return (
    <span class="with-unit" data-changed={changed}>
      <input
        id={id}
        aria-label={cache === null ? undefined : field.label}
        inputMode={kind === 'items' || kind === 'share' ? 'decimal' : 'text'}
        value={text ?? (now === null ? '' : settingText(field, now).replace(' %', ''))}
        placeholder={kind === 'duration' ? 'none' : 'no limit'}
        aria-invalid={wrong}
        aria-describedby={wrong ? why : undefined}
        onInput={(event) => write(event.currentTarget.value)}
      />
      {note !== undefined && <span>{note}</span>}
      {was}
      {wrong && (
        <small id={why} class="bad" role="alert">
          {settingHint(field)}
        </small>
      )}
    </span>
  )
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
    <fieldset class="deeds" disabled={!mayChange.value}>
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
          : `Frees ${bytes(freed)}, about ${countInWords(about, 'entry', 'entries')}.`}
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
            text: `This evicts about ${countInWords(about, 'entry', 'entries')}, ${bytes(freed)}, down to ${percent(target / 100)} of the budget, in one call.`,
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
    </fieldset>
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

function Changes({ rows }: { rows: readonly ChangeRow[] }) {
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
