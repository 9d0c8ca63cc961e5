import type { ComponentChildren } from 'preact'
import { useEffect, useId, useRef } from 'preact/hooks'

/** Asks before something is done; Escape and a click beside it say no. */
export function Dialog({
  title,
  children,
  actions,
  close,
}: {
  title: string
  children: ComponentChildren
  actions: ComponentChildren
  close: () => void
}) {
  const dialog = useRef<HTMLDialogElement>(null)
  const id = useId()
  useEffect(() => dialog.current?.showModal(), [])
  return (
    <dialog
      ref={dialog}
      aria-labelledby={id}
      onClose={close}
      onClick={(event) => {
        if (event.target === dialog.current) dialog.current?.close()
      }}
      onKeyDown={(event) => {
        // Keys of the page behind it are not meant.
        event.stopPropagation()
      }}
    >
      <div class="dialog">
        <h2 id={id}>{title}</h2>
        {children}
        <div class="actions">
          <button type="button" onClick={() => dialog.current?.close()}>
            Cancel
          </button>
          {actions}
        </div>
      </div>
    </dialog>
  )
}
