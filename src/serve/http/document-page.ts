import type { ApiDocument, ApiOperation, ApiParameter, ApiSchema } from './document.ts'

/*
 * The API's description as one page of HTML, without a script and without a request to anywhere else. (swagger-ui brings
 * 2.5 MB of script to show the same, and wants inline styles that the content security policy doesn't allow.)
 */

export const PAGE_STYLE = `
:root { color-scheme: light dark; --faint: color-mix(in srgb, currentColor 65%, transparent); --line: color-mix(in srgb, currentColor 20%, transparent) }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem }
h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--line) }
h3 { font-size: 1rem; margin: 1.5rem 0 .25rem }
code, pre { font: .875rem/1.45 ui-monospace, monospace }
pre { overflow-x: auto; padding: .75rem; border: 1px solid var(--line); border-radius: .375rem }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid var(--line) }
summary { cursor: pointer }
.faint { color: var(--faint) }
.method { display: inline-block; min-width: 4.5rem }
`

export function documentPage(document: ApiDocument, style: string): string {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  )
  const groups = [...new Set(operations.map(({ operation }) => operation.tags?.[0] ?? 'Audit log'))]
  const sections = groups.map((group) => {
    const own = operations.filter(({ operation }) => (operation.tags?.[0] ?? 'Audit log') === group)
    return `<section><h2>${escaped(group)}</h2>${own.map(({ path, method, operation }) => section(path, method, operation)).join('')}</section>`
  })
  const { title, version, description } = document.info
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)} HTTP API</title>
<link rel="stylesheet" href="${escaped(style)}">
</head>
<body>
<h1>${escaped(title)} HTTP API <span class="faint">${escaped(version)}</span></h1>
<p>${escaped(description)}</p>
<p>For programs: <a href="../openapi.json">openapi.json</a></p>
<main>${sections.join('')}</main>
</body>
</html>
`
}

function section(
  path: string,
  method: string,
  { summary, description, parameters, requestBody, responses }: ApiOperation,
) {
  const bodies = Object.entries(requestBody?.content ?? {}).map(([type, { schema }]) => shape(`Body, ${type}`, schema))
  const answers = Object.entries(responses).flatMap(([status, { content, description: text }]) =>
    status === 'default'
      ? []
      : Object.entries(content ?? { '': {} }).map(([type, { schema }]) =>
          shape(`${status} ${type === '' ? (text ?? '') : type}`, schema),
        ),
  )
  return `<article><h3><code><span class="method">${method.toUpperCase()}</span> ${escaped(path)}</code></h3>
<p>${escaped(summary ?? '')}${description === undefined ? '' : `<br><span class="faint">${escaped(description)}</span>`}</p>
${parameterTable(parameters ?? [])}${bodies.join('')}${answers.join('')}</article>`
}

function parameterTable(parameters: readonly ApiParameter[]): string {
  if (parameters.length === 0) return ''
  const rows = parameters.map(
    ({ name, in: where, required, schema, description }) =>
      `<tr><td><code>${escaped(name)}</code></td><td>${where}${required === true ? '' : ', optional'}</td><td>${escaped(kind(schema))}</td><td>${escaped(description ?? text(schema.description))}</td></tr>`,
  )
  return `<table><thead><tr><th>Parameter</th><th>In</th><th>Type</th><th>Meaning</th></tr></thead><tbody>${rows.join('')}</tbody></table>`
}

/** A schema's first example in sight, all of it one click away. */
function shape(title: string, schema: ApiSchema | undefined): string {
  if (schema === undefined || Object.keys(schema).length === 0) return `<p class="faint">${escaped(title)}</p>`
  const [example] = Array.isArray(schema.examples) ? (schema.examples as unknown[]) : []
  const shown =
    example === undefined ? '' : `<pre>${escaped(typeof example === 'string' ? example : json(example))}</pre>`
  return `<details><summary>${escaped(title)}</summary>${shown}<pre>${escaped(json(schema))}</pre></details>`
}

function kind(schema: ApiSchema): string {
  const choices = [schema.anyOf, schema.oneOf].find((list) => Array.isArray(list)) as readonly ApiSchema[] | undefined
  if (choices !== undefined) return choices.map(kind).join(' | ')
  if (Array.isArray(schema.enum)) return (schema.enum as unknown[]).map((one) => JSON.stringify(one)).join(' | ')
  if ('const' in schema) return JSON.stringify(schema.const)
  return text(schema.type)
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function json(value: unknown): string {
  return JSON.stringify(value, null, 2)
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escaped(value: string): string {
  return value.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character)
}
