import { execFile } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { EVENT_TYPES } from '../../src/event/catalogue.ts'

/*
 * The documentation is true: every block of JavaScript in it is a program that runs against `dist/` as it stands, and
 * prints what the block `text output` right after it says.
 */

const root = fileURLToPath(new URL('../..', import.meta.url))
const documents = [
  'README.md',
  'CONTRIBUTING.md',
  ...readdirSync(join(root, 'docs'))
    .filter((file) => file.endsWith('.md'))
    .map((file) => `docs/${file}`),
]
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const work = mkdtempSync(join(tmpdir(), 'muninn-readme-'))

const read = (document: string) => readFileSync(join(root, document), 'utf8')

interface Block {
  readonly document: string
  readonly line: number
  /** What stands after the opening fence. */
  readonly tag: string
  readonly text: string
}

function blocksOf(document: string): Block[] {
  const found: Block[] = []
  let open: { line: number; tag: string; lines: string[] } | null = null
  for (const [index, line] of read(document).split('\n').entries()) {
    const fence = /^```(.*)$/.exec(line)
    if (fence === null) open?.lines.push(line)
    else if (open === null) open = { line: index + 1, tag: fence[1] ?? '', lines: [] }
    else {
      found.push({ document, line: open.line, tag: open.tag, text: `${open.lines.join('\n')}\n` })
      open = null
    }
  }
  return found
}

const blocks = documents.flatMap(blocksOf)

/** A folder in which `import 'muninn-cache'` finds the checkout, and its libraries are those that it uses itself. */
beforeAll(() => {
  mkdirSync(join(work, 'node_modules'))
  symlinkSync(root, join(work, 'node_modules/muninn-cache'))
  for (const name of Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies })) {
    const link = join(work, 'node_modules', name)
    mkdirSync(dirname(link), { recursive: true })
    symlinkSync(join(root, 'node_modules', name), link)
  }
})

afterAll(() => rmSync(work, { recursive: true, force: true }))

interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

function node(folder: string, ...args: string[]): Promise<Outcome> {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(MUNINN_|CACHE_|NODE_OPTIONS$|VITEST|FORCE_COLOR$)/.test(name)),
  )
  return new Promise((done) => {
    execFile(process.execPath, args, { cwd: folder, env, timeout: 60_000 }, (error, stdout, stderr) => {
      done({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : -1, stdout, stderr })
    })
  })
}

describe('every program in the documentation', () => {
  const programs = blocks.filter(({ tag }) => /^(js|ts|mjs|javascript|typescript)\b/.test(tag))

  it('is marked to be run', () => {
    expect(programs.length).toBeGreaterThan(0)
    expect(programs.filter(({ tag }) => tag !== 'js run').map(({ document, line }) => `${document}:${line}`)).toEqual(
      [],
    )
  })

  it.each(programs.map((block) => ({ at: `${block.document}:${block.line}`, block })))('$at', async ({ at, block }) => {
    const folder = join(work, at.replaceAll(/\W/g, '-'))
    mkdirSync(folder)
    writeFileSync(join(folder, 'program.mjs'), block.text)
    const { code, stdout, stderr } = await node(folder, 'program.mjs')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const next = blocks[blocks.indexOf(block) + 1]
    if (next?.document === block.document && next.tag === 'text output') expect(stdout).toBe(next.text)
  })
})

describe('what the documentation names', () => {
  it('are commands that there are', async () => {
    const { stdout } = await node(root, 'dist/serve/cli/main.js', '--help')
    const there = [...stdout.matchAll(/^ {2}([a-z]+) {2,}/gm)].map((match) => match[1])
    const named = documents.flatMap((document) =>
      [...read(document).matchAll(/npx muninn-cache ([a-z]+)/g)].map((match) => match[1]),
    )
    expect(named.filter((command) => !there.includes(command))).toEqual([])
    for (const command of there.filter((one) => one !== 'help')) expect(read('README.md')).toContain(`| \`${command}`)
  })

  it('are all options of a memory manager', async () => {
    const { MemoryManager } = await import(join(root, 'dist/muninn.js'))
    let message = ''
    try {
      new MemoryManager({ nonsense: 1 })
    } catch (error) {
      message = String(error)
    }
    const options = message.replace(/.*options are /, '').split(', ')
    expect(options).toContain('maxMemory')
    const rows = read('README.md')
      .split('\n')
      .filter((line) => line.startsWith('| `'))
    for (const option of options)
      expect(
        rows.some((row) => row.split('|')[1]?.includes(`\`${option}\``)),
        option,
      ).toBe(true)
  })

  it('are all events', () => {
    const rows = read('docs/events.md')
      .split('\n')
      .filter((line) => line.startsWith('| `'))
    for (const type of EVENT_TYPES)
      expect(
        rows.some((row) => row.split('|')[1]?.includes(`\`${type}\``)),
        type,
      ).toBe(true)
  })

  it('are files and headings that there are', () => {
    const slug = (heading: string) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\w\- ]/g, '')
        .replaceAll(' ', '-')
    const broken = documents.flatMap((document) =>
      [...read(document).matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)/g)].flatMap(([, path = '', anchor]) => {
        const file = path === '' ? join(root, document) : resolve(dirname(join(root, document)), path)
        if (!existsSync(file)) return [`${document}: ${path}`]
        if (anchor === undefined) return []
        const headings = [...readFileSync(file, 'utf8').matchAll(/^#+ (.*)$/gm)].map((match) => slug(match[1] ?? ''))
        return headings.includes(anchor) ? [] : [`${document}: ${path}#${anchor}`]
      }),
    )
    expect(broken).toEqual([])
  })

  it('are no places of one machine, and no registries', () => {
    const places = /(?:^|[\s`'"(])\/(?:work|home|root|tmp|Users)\/|registry\.[a-z]/m
    expect(documents.filter((document) => places.test(read(document)))).toEqual([])
  })
})
