// Writes a generated section of a page of docs/, between its markers.
import { readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'

/** What a figure depends on, in words. */
export function machine() {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  const date = new Date().toISOString().slice(0, 10)
  return `${cpus().length} × ${cpus()[0].model.trim()}, Node ${process.version}, muninn-cache ${version}, ${date}`
}

export function writeSection(name, lines, page = 'performance') {
  const file = new URL(`../../docs/${page}.md`, import.meta.url)
  const begin = `<!-- ${name}:start -->`
  const end = `<!-- ${name}:end -->`
  const text = readFileSync(file, 'utf8')
  const from = text.indexOf(begin)
  const to = text.indexOf(end)
  if (from < 0 || to < from) throw new Error(`docs/${page}.md has no section ${name}`)
  writeFileSync(file, `${text.slice(0, from + begin.length)}\n${lines.join('\n')}\n${text.slice(to)}`)
}
