import { useState } from 'preact/hooks'
import { refused, token } from '../api/client.ts'
import { refresh } from '../live/memory.ts'

/** Asks for the service's token; it stays in this page's memory. */
export function TokenForm() {
  const [text, setText] = useState('')
  const submit = (event: Event) => {
    event.preventDefault()
    token.value = text.trim()
    refresh()
  }
  return (
    <form class="token" onSubmit={submit}>
      <h1>Token</h1>
      <p>
        This service answers only to those who show one of its tokens (<code>MUNINN_TOKEN</code>). It is kept in this
        page’s memory and nowhere else: a reload forgets it.
      </p>
      <label>
        Token
        <input
          type="password"
          name="token"
          autocomplete="off"
          required
          value={text}
          aria-invalid={refused.value === 'wrong'}
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </label>
      {refused.value === 'wrong' && <p role="alert">The service doesn’t know this token.</p>}
      <button type="submit" class="primary">
        Open the dashboard
      </button>
    </form>
  )
}
