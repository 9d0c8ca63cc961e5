import { useState } from 'preact/hooks'
import { countInWords } from '../../../src/query/words.ts'
import type { Diagnosis, Finding } from '../api/answers.ts'
import { mayChange, READ_ONLY } from '../api/client.ts'
import { type Change, changeIn } from '../api/settings.ts'
import { useAnswer } from '../api/use-answer.ts'
import { Apply } from '../parts/apply.tsx'
import { CacheChoice, Filters, RangeChoice } from '../parts/controls.tsx'
import { Time } from '../parts/figures.tsx'
import { Panel } from '../parts/panel.tsx'
import { Answer, Empty, Incomplete } from '../parts/states.tsx'
import { link, route } from '../route.ts'

/** What is wrong by the data, with the evidence, and the one setting that would mend it. */
export function Doctor() {
  const { cache, since } = route.value.query
  const diagnosis = useAnswer<Diagnosis>('api/audit/doctor', { cache, since: since ?? '-24h' })
  const [change, setChange] = useState<Change | null>(null)
  const [applied, setApplied] = useState('')
  return (
    <>
      <h1 class="sr">Doctor</h1>
      <Filters label="What to look at">
        <CacheChoice />
        <RangeChoice fallback="-24h" />
        <button type="button" onClick={diagnosis.again} disabled={diagnosis.pending}>
          Look again
        </button>
      </Filters>
      <p role="status" class={applied === '' ? 'sr' : 'done'}>
        {applied}
      </p>
      <Answer of={diagnosis} lines={10}>
        {(known) => (
          <div class="columns wide-left">
            <Panel
              title={known.items.length === 0 ? 'Findings' : countInWords(known.items.length, 'finding')}
              aside={
                <span>
                  <Time at={known.since} /> to <Time at={known.until} />
                </span>
              }
            >
              <Incomplete text={known.incomplete} />
              {known.items.length === 0 ? (
                <Empty title="Nothing is wrong, as far as the data says" />
              ) : (
                <ol class="findings">
                  {known.items.map((finding) => (
                    <One
                      key={`${finding.finding} ${finding.cache} ${finding.setting}`}
                      of={finding}
                      propose={setChange}
                    />
                  ))}
                </ol>
              )}
            </Panel>
            <Panel title="What was looked at">
              <ul class="looked">
                {known.looked.map((line) => (
                  <li key={line}>{line}</li>
                ))}
              </ul>
            </Panel>
          </div>
        )}
      </Answer>
      {change !== null && (
        <Apply
          changes={[change]}
          close={() => setChange(null)}
          done={() => {
            setApplied('Applied. What it does shows in the figures from now on.')
            diagnosis.again()
          }}
        />
      )}
    </>
  )
}

function One({ of, propose }: { of: Finding; propose: (change: Change) => void }) {
  const change = changeIn(of)
  return (
    <li class="finding" data-severity={of.severity}>
      <h3>
        <span class="severity">{of.severity}</span>
        {of.finding}
        {of.cache !== null && (
          <>
            {' in '}
            <a href={link('evictions', [], { cache: of.cache })}>{of.cache}</a>
          </>
        )}
      </h3>
      {of.evidence.map((sentence) => (
        <p key={sentence}>{sentence}</p>
      ))}
      <p class="advice">{of.advice}</p>
      <p class="remedy">
        <code>{of.setting}</code> from {of.from} to <b>{of.to}</b>
        {change !== null && (
          <button
            type="button"
            disabled={!mayChange.value}
            title={mayChange.value ? undefined : READ_ONLY}
            onClick={() => propose(change)}
            aria-label={`Apply ${of.setting}: ${of.to}`}
          >
            Apply…
          </button>
        )}
      </p>
    </li>
  )
}
