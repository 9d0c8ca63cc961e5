// tsc writes files without the executable bit; a bin run straight from a checkout needs it.
import { chmodSync } from 'node:fs'

chmodSync(new URL('../dist/serve/cli/main.js', import.meta.url), 0o755)
