// First: what follows is loaded under it.
import './locale.ts'
import { render } from 'preact'
import './style.css'
import { App } from './app.tsx'
import { watch } from './live/memory.ts'

const place = document.getElementById('app')
if (place !== null) render(<App />, place)
watch()
