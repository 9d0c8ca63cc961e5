import { computed, effect, signal } from '@preact/signals'

/** What the reader chose; `auto`: as the system has it. Kept in this browser; it is no secret. */
type Theme = 'auto' | 'light' | 'dark'

const STORED = 'muninn.theme'
const system = matchMedia('(prefers-color-scheme: dark)')
const systemDark = signal(system.matches)
system.addEventListener('change', () => {
  systemDark.value = system.matches
})

const theme = signal<Theme>(stored())
export const dark = computed(() => (theme.value === 'auto' ? systemDark.value : theme.value === 'dark'))

effect(() => {
  document.documentElement.dataset.theme = dark.value ? 'dark' : 'light'
})

export function choose(next: Theme): void {
  theme.value = next
  try {
    localStorage.setItem(STORED, next)
  } catch {
    // A browser that keeps nothing shows the system's.
  }
}

function stored(): Theme {
  try {
    const value = localStorage.getItem(STORED)
    return value === 'light' || value === 'dark' ? value : 'auto'
  } catch {
    return 'auto'
  }
}
