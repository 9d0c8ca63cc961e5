import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { Dialog } from './dialog.tsx'

/** Does something once it is confirmed, and says why where it failed. */
export function Confirm({
  title,
  button,
  act,
  close,
  ready = true,
  children,
}: {
  title: string
  button: string
  act: () => Promise<void>
  close: () => void
  /** Whether what it would do is known. */
  ready?: boolean
  children: ComponentChildren
}) {
  const [state, setState] = useState<'asking' | 'acting' | Error>('asking')
  const confirmed = async () => {
    setState('acting')
    try {
      await act()
      close()
    } catch (error) {
      setState(error as Error)
    }
  }
  return (
    <Dialog
      title={title}
      close={close}
      actions={
        <button type="button" class="primary" disabled={state === 'acting' || !ready} onClick={confirmed}>
          {button}
        </button>
      }
    >
      {children}
      {state instanceof Error && (
        <p role="alert" class="bad">
          {state.message}
        </p>
      )}
    </Dialog>
  )
}
