import type { ComponentChildren } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { countInWords } from '../../../src/query/words.ts'
import { RANGES } from '../api/range.ts'
import { cacheNames } from '../live/memory.ts'
import { replaceQuery, route } from '../route.ts'

/** A row of filters above what they filter; what they say stands in the address. */
export function Filters({ children, label }: { children: ComponentChildren; label: string }) {
  return (
    <form class="filters" aria-label={label} onSubmit={(event) => event.preventDefault()}>
      {children}
    </form>
  )
}

/** A choice that the address keeps under `name`; another choice begins again at the first page. */
export function Choice({
  name,
  label,
  options,
  all,
  fallback = '',
}: {
  name: string
  label: string
  options: readonly { readonly value: string; readonly name: string }[]
  /** What no choice is called; left out, there is always one. */
  all?: string
  fallback?: string
}) {
  const value = route.value.query[name] ?? fallback
  return (
    <label>
      {label}
      <select
        value={value}
        onChange={(event) => replaceQuery({ [name]: event.currentTarget.value, cursor: null, before: null })}
      >
        {all !== undefined && <option value="">{all}</option>}
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.name}
          </option>
        ))}
      </select>
    </label>
  )
}

export function CacheChoice({ all = 'all caches', fallback }: { all?: string | undefined; fallback?: string }) {
  const options = cacheNames.value.map((name) => ({ value: name, name }))
  return fallback === undefined ? (
    <Choice name="cache" label="Cache" all={all} options={options} />
  ) : (
    <Choice name="cache" label="Cache" options={options} fallback={fallback} />
  )
}

export function RangeChoice({ all, fallback = '' }: { all?: string; fallback?: string }) {
  const options = RANGES.map(({ since, name }) => ({ value: since, name }))
  return (
    <Choice name="since" label="Last" options={options} fallback={fallback} {...(all === undefined ? {} : { all })} />
  )
}

/** How long typing has to pause before the question is asked, in ms. */
const PAUSE = 200

export function TextFilter({ name, label, hint }: { name: string; label: string; hint: string }) {
  const asked = route.value.query[name] ?? ''
  const [text, setText] = useState(asked)
  useEffect(() => setText(asked), [asked])
  useEffect(() => {
    if (text === asked) return
    const timer = setTimeout(() => replaceQuery({ [name]: text, cursor: null, before: null }), PAUSE)
    return () => clearTimeout(timer)
  }, [text, asked, name])
  return (
    <label class="grow">
      {label}
      <input
        type="search"
        class="key"
        spellcheck={false}
        autocomplete="off"
        placeholder={hint}
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
      />
    </label>
  )
}

/** To the page before and after; the cursors of the pages before stand in the address, too. */
export function Pager({ next, rows }: { next: string | null; rows: number }) {
  const { cursor = '', before = '' } = route.value.query
  const earlier = before === '' ? [] : before.split(' ')
  if (next === null && cursor === '') return null
  return (
    <nav class="pager" aria-label="Pages">
      <span class="muted">
        page {earlier.length + (cursor === '' ? 1 : 2)}, {countInWords(rows, 'row')}
      </span>
      <button
        type="button"
        disabled={cursor === ''}
        onClick={() => replaceQuery({ cursor: earlier.at(-1) ?? null, before: earlier.slice(0, -1).join(' ') })}
      >
        Previous
      </button>
      <button
        type="button"
        disabled={next === null}
        onClick={() => replaceQuery({ cursor: next, before: cursor === '' ? '' : [...earlier, cursor].join(' ') })}
      >
        Next
      </button>
    </nav>
  )
}
