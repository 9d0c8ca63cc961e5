import { useState } from 'preact/hooks'

import type { Explanation, Item } from '../api/answers.ts'
import { ask, mayChange, READ_ONLY } from '../api/client.ts'
import { useAnswer } from '../api/use-answer.ts'
import { Confirm } from '../parts/confirm.tsx'
import { Bytes, Count, Duration, Key, Time } from '../parts/figures.tsx'
import { Life } from '../parts/life.tsx'
import { Panel, Stat } from '../parts/panel.tsx'
import { RecordedTable } from '../parts/recorded.tsx'
import { Answer, Empty, Incomplete } from '../parts/states.tsx'
import { link } from '../route.ts'

/** Events of a life that are shown at first. */
const SHOWN = 50

/** One key: what is held of it now, and what the audit log knows of its life. */
export function KeyPage({ cache, of }: { cache: string; of: string }) {
  const listed = useAnswer<{ items: readonly Item[] }>(
    `api/cache/${encodeURIComponent(cache)}/items`,
    { key: of },
    { every: 2000, keep: false },
  )
  const life = useAnswer<Explanation>('api/audit/explain', { key: of, cache }, { keep: false })
  const [deleting, setDeleting] = useState(false)
  const item = listed.value?.items[0] ?? null
  const missing = listed.error?.status === 404
  return (
    <>
      <h1 class="key-name">
        <a href={link('keys', [], { cache })}>{cache}</a>
        <span class="muted"> / </span>
        <Key of={of} most={400} />
      </h1>
      <Panel
        title={item === null ? 'Not in the cache' : 'In the cache'}
        aside={
          item !== null && (
            <button
              type="button"
              disabled={!mayChange.value}
              title={mayChange.value ? undefined : READ_ONLY}
              onClick={() => setDeleting(true)}
            >
              Delete…
            </button>
          )
        }
      >
        {item !== null ? (
          <Present of={item} />
        ) : listed.value !== null || missing ? (
          <p class="muted">There is no live entry of this key at the moment.</p>
        ) : (
          <Answer of={listed} lines={2}>
            {() => null}
          </Answer>
        )}
      </Panel>
      <Answer of={life} lines={8}>
        {(known) => <Explained of={known} item={item} />}
      </Answer>
      {deleting && (
        <Delete
          cache={cache}
          of={of}
          close={() => setDeleting(false)}
          done={() => {
            listed.again()
            life.again()
          }}
        />
      )}
    </>
  )
}

function Present({ of: { size, stored_at: storedAt, expires_at: expiresAt, ...of } }: { of: Item }) {
  const now = Date.now()
  return (
    <dl class="stats first">
      <Stat name="Size">
        <Bytes of={size} />
      </Stat>
      <Stat name="Stored" note={<Time at={storedAt} />}>
        <Duration of={now - Date.parse(storedAt)} /> <small>ago</small>
      </Stat>
      <Stat name="Hits" note="since it was stored">
        <Count of={of.hits} />
      </Stat>
      <Stat name="Last use" note={<Time at={of.last_access} />}>
        {of.last_access === null ? (
          'never'
        ) : (
          <>
            <Duration of={Math.max(0, now - Date.parse(of.last_access))} /> <small>ago</small>
          </>
        )}
      </Stat>
      <Stat name="Expires" note={expiresAt === null ? 'it has no TTL' : <Time at={expiresAt} />}>
        {expiresAt === null ? 'never' : <Duration of={Math.max(0, Date.parse(expiresAt) - now)} />}
      </Stat>
      <Stat name="Cost of a miss" note={of.tags.length > 0 ? `tags ${of.tags.join(', ')}` : undefined}>
        <Count of={of.cost} />
      </Stat>
    </dl>
  )
}

function Explained({ of, item }: { of: Explanation; item: Item | null }) {
  const [all, setAll] = useState(false)
  const latest = of.items.toReversed()
  const rows = all ? latest : latest.slice(0, SHOWN)
  return (
    <>
      <Panel title="Its life" aside={`by the log: ${of.verdict}`}>
        <Incomplete text={of.incomplete} />
        <Life of={of} item={item} />
        <div class="summary">
          {of.summary.map((sentence) => (
            <p key={sentence}>{sentence}</p>
          ))}
        </div>
      </Panel>
      <Panel title="What happened" aside="latest first">
        {rows.length === 0 ? (
          <Empty title="Nothing is recorded of this key">
            The log has nothing of it, at its level and within what it keeps.
          </Empty>
        ) : (
          <RecordedTable
            label="Events of this key"
            rows={rows}
            also={{ name: 'Run', minor: true, cell: (row) => <span class="key muted">{row.run.slice(0, 8)}</span> }}
          />
        )}
        {latest.length > rows.length && (
          <p>
            <button type="button" onClick={() => setAll(true)}>
              Show all {latest.length}
            </button>
          </p>
        )}
      </Panel>
    </>
  )
}

function Delete({ cache, of, close, done }: { cache: string; of: string; close: () => void; done: () => void }) {
  const act = async () => {
    // Not by the item's own address: browsers take the keys `.` and `..` in it for folders, and another entry would go.
    const operations = [{ op: 'delete', key: of }]
    await ask(`api/cache/${encodeURIComponent(cache)}/bulk`, { method: 'POST', body: { operations } })
    done()
  }
  return (
    <Confirm title="Delete this entry?" button="Delete" act={act} close={close}>
      <p>
        <Key of={of} /> leaves cache <b>{cache}</b>; the next request for it is a miss. It is recorded who did it.
      </p>
    </Confirm>
  )
}
