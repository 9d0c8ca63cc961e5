// What the compilers leave to do in dist/.
import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import { build } from 'vite'

// tsc writes files without the executable bit; a bin run straight from a checkout needs it.
chmodSync(new URL('../dist/serve/cli/main.js', import.meta.url), 0o755)

// The dashboard's files are sent compressed, and compressed once: here. Fonts are already.
const dashboard = fileURLToPath(new URL('../dist/dashboard/', import.meta.url))
for (const name of readdirSync(dashboard, { recursive: true, encoding: 'utf8' })) {
  if (!/\.(?:html|js|css|svg)$/.test(name)) continue
  const file = join(dashboard, name)
  const bytes = readFileSync(file)
  writeFileSync(`${file}.gz`, gzipSync(bytes, { level: constants.Z_BEST_COMPRESSION }))
  writeFileSync(
    `${file}.br`,
    brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } }),
  )
}

// TypeBox comes as 370 modules, whose loading took a quarter of the service's start: one file of them takes none of it.
const typebox = fileURLToPath(import.meta.resolve('typebox'))
const licence = readFileSync(join(typebox, '../../license'), 'utf8').trim()
await build({
  configFile: false,
  logLevel: 'warn',
  build: {
    lib: { entry: typebox, formats: ['es'], fileName: () => 'typebox.js' },
    outDir: fileURLToPath(new URL('../dist/bundled/', import.meta.url)),
    emptyOutDir: true,
    minify: false,
    target: 'node20',
    rolldownOptions: { output: { banner: `/*!\n${licence}\n*/` } },
  },
})
