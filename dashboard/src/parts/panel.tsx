import type { ComponentChildren } from 'preact'
import { useId } from 'preact/hooks'

/** A titled part of a view. */
export function Panel({
  title,
  aside,
  children,
  class: own = '',
}: {
  title: string
  aside?: ComponentChildren
  children: ComponentChildren
  class?: string
}) {
  const id = useId()
  return (
    <section class={`panel ${own}`} aria-labelledby={id}>
      <header>
        <h2 id={id}>{title}</h2>
        {aside !== undefined && <div class="aside">{aside}</div>}
      </header>
      {children}
    </section>
  )
}

/** A figure with its name; figures of a row share their baseline. */
export function Stat({
  name,
  children,
  note,
  level,
}: {
  name: string
  children: ComponentChildren
  note?: ComponentChildren
  level?: string
}) {
  return (
    <div class="stat" data-level={level}>
      <dt>{name}</dt>
      <dd>{children}</dd>
      {note !== undefined && <dd class="note">{note}</dd>}
    </div>
  )
}

/** A share of a limit, as a thin bar behind or beside its figure. */
export function Share({ of, label }: { of: number; label: string }) {
  return (
    <span class="share" role="img" aria-label={label}>
      <span style={{ width: `${Math.min(100, Math.max(0, of * 100))}%` }} />
    </span>
  )
}
