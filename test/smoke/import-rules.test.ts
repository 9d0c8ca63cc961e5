import { spawnSync } from 'node:child_process'
import { appendFileSync, cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

/** What a folder of `src/` may import, as CONTRIBUTING.md says it; biome.json enforces it. */
interface Row {
  readonly folders: readonly string[]
  /** Folders of which only types may be imported. */
  readonly types?: readonly string[]
  readonly libraries: readonly string[]
}

const root = fileURLToPath(new URL('../..', import.meta.url))
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const libraries = Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies })
const drivers = ['better-sqlite3']

const table: Record<string, Row> = {
  base: { folders: [], libraries: ['nanoid'] },
  event: { folders: ['base'], libraries: [] },
  fold: { folders: ['base', 'event'], libraries: [] },
  decide: { folders: ['base', 'event'], types: ['fold'], libraries: [] },
  observe: { folders: ['base', 'event'], libraries: ['rxjs', 'pino'] },
  persist: { folders: ['base', 'event'], libraries: ['better-sqlite3'] },
  query: { folders: ['base', 'event'], libraries: drivers },
  command: {
    folders: ['base', 'event', 'fold', 'decide', 'observe', 'persist'],
    types: ['query', 'replay'],
    libraries: ['nanoid', 'rxjs'],
  },
  replay: { folders: ['base', 'event', 'command', 'query'], libraries: [] },
  serve: {
    folders: ['base', 'event', 'command', 'query', 'replay'],
    libraries: libraries.filter((name) => !drivers.includes(name)),
  },
}

/** One line of a fixture, and whether the linter must refuse it. */
interface Line {
  readonly file: string
  readonly text: string
  readonly refused: boolean
}

/** `file:line` of everything that the linter refused in the fixtures. */
let refused = new Set<string>()
let fixtures = ''

function linesOf(folder: string, row: Row): Line[] {
  const found: Line[] = []
  for (const [file, up] of [
    [`src/${folder}/flat.ts`, '..'],
    [`src/${folder}/deep/nested.ts`, '../..'],
  ] as const) {
    const add = (text: string, isRefused: boolean) => found.push({ file, text, refused: isRefused })
    for (const other of Object.keys(table).filter((name) => name !== folder)) {
      const path = `'${up}/${other}/part.ts'`
      const values = row.folders.includes(other)
      const types = values || (row.types?.includes(other) ?? false)
      add(`import { ${other}Value } from ${path}`, !values)
      add(`import ${path}`, !values)
      add(`import * as ${other}All from ${path}`, !values)
      add(`export { ${other}Out } from ${path}`, !values)
      add(`export const ${other}Later = import(${path})`, !values)
      add(`import type { ${other}Type } from ${path}`, !types)
      add(`export type { ${other}TypeOut } from ${path}`, !types)
    }
    for (const library of libraries) {
      add(`import '${library}'`, !row.libraries.includes(library))
      add(`export const lazy${found.length} = import('${library}')`, !row.libraries.includes(library))
    }
    add("import './neighbour.ts'", false)
    add("import './deeper/neighbour.ts'", false)
    add(`import '${up}/muninn.ts'`, folder !== 'serve')
  }
  found.push({ file: `src/${folder}/deep/nested.ts`, text: "import '../flat.ts'", refused: false })
  return found
}

const entryLines: Line[] = [
  ...['base', 'event', 'observe', 'command', 'query', 'replay'].map((folder) => ({ folder, refused: false })),
  ...['decide', 'fold', 'persist', 'serve'].map((folder) => ({ folder, refused: true })),
]
  .map(({ folder, refused }) => ({ file: 'src/muninn.ts', text: `import './${folder}/part.ts'`, refused }))
  .concat(libraries.map((name) => ({ file: 'src/muninn.ts', text: `import '${name}'`, refused: true })))

const otherLines: Line[] = [
  { file: 'src/decide/pure.ts', text: 'export const now = Date.now()', refused: true },
  { file: 'src/decide/pure.ts', text: 'setTimeout(() => now, 1)', refused: true },
  { file: 'src/decide/pure.ts', text: 'export const chance = Math.random()', refused: true },
  { file: 'src/decide/pure.ts', text: "import 'node:fs'", refused: true },
  { file: 'src/fold/pure.ts', text: 'setImmediate(() => 1)', refused: true },
  { file: 'src/fold/pure.ts', text: "import 'node:fs'", refused: true },
  { file: 'src/fold/pure.ts', text: "import 'node:crypto'", refused: false },
  { file: 'src/query/reads.ts', text: "import { openForReading } from '../persist/reader.ts'", refused: false },
  { file: 'src/query/reads.ts', text: "import { hashRows } from '../persist/link-hash.ts'", refused: false },
  { file: 'src/query/reads.ts', text: "import { openForWriting } from '../persist/database.ts'", refused: true },
  { file: 'src/muninn.ts', text: "export type { AuditState } from './persist/audit.ts'", refused: false },
  { file: 'src/observe/busy.ts', text: 'setImmediate(() => 1)', refused: false },
  { file: 'src/observe/busy.ts', text: "import 'node:diagnostics_channel'", refused: false },
  { file: 'src/observe/busy.ts', text: "import 'node:timers/promises'", refused: false },
  { file: 'test/unit/waiting.test.ts', text: 'setTimeout(() => 1, 1)', refused: true },
  { file: 'test/integration/waiting.test.ts', text: 'setTimeout(() => 1, 1)', refused: false },
]

beforeAll(() => {
  fixtures = mkdtempSync(join(tmpdir(), 'muninn-rules-'))
  cpSync(join(root, 'biome.json'), join(fixtures, 'biome.json'))
  cpSync(join(root, 'scripts/lint'), join(fixtures, 'scripts/lint'), { recursive: true })
  const rows = Object.entries(table).flatMap(([folder, row]) => linesOf(folder, row))
  for (const { file, text } of [...rows, ...entryLines, ...otherLines]) {
    mkdirSync(dirname(join(fixtures, file)), { recursive: true })
    appendFileSync(join(fixtures, file), `${text}\n`)
  }
  refused = lint(fixtures)
})

afterAll(() => rmSync(fixtures, { recursive: true, force: true }))

/** Runs the linter over a folder and says which `file:line` it refused. */
function lint(folder: string): Set<string> {
  const biome = createRequire(import.meta.url).resolve('@biomejs/biome/bin/biome')
  const { stdout, stderr } = spawnSync(process.execPath, [biome, 'lint', '--reporter=json', '--max-diagnostics=none'], {
    cwd: folder,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  })
  if (stdout === '') throw new Error(`the linter did not run\n${stderr}`)
  const report = JSON.parse(stdout) as {
    diagnostics: { category: string; location: { path: string; start: { line: number } } }[]
  }
  return new Set(
    report.diagnostics
      .filter(({ category }) => /plugin|noRestricted(Imports|Globals)/.test(category))
      .map(({ location }) => `${location.path}:${location.start.line}`),
  )
}

/** The lines of these fixtures where the linter and the table disagree. */
function disagreements(lines: readonly Line[]): string[] {
  const lineNumbers = new Map<string, number>()
  return lines.flatMap(({ file, text, refused: expected }) => {
    const line = (lineNumbers.get(file) ?? 0) + 1
    lineNumbers.set(file, line)
    if (refused.has(`${file}:${line}`) === expected) return []
    return [`${file}: ${text} — ${expected ? 'must be refused and passes' : 'must pass and is refused'}`]
  })
}

describe('the import rules of src/', () => {
  it('have a row for every folder', () => {
    const present = readdirSync(join(root, 'src'), { withFileTypes: true }).filter((entry) => entry.isDirectory())
    expect(present.map(({ name }) => name).sort()).toEqual(Object.keys(table).sort())
  })

  for (const [folder, row] of Object.entries(table)) {
    it(`hold in src/${folder}`, () => expect(disagreements(linesOf(folder, row))).toEqual([]))
  }

  it('hold in the entry file', () => expect(disagreements(entryLines)).toEqual([]))

  it('keep clocks, timers and chance out of deciding, writing out of queries and waiting out of unit tests', () =>
    expect(disagreements(otherLines)).toEqual([]))
})
