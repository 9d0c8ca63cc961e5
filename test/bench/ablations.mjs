/* The parts of `hybrid` that are worth asking for: each is changed in a copy of the built code, and nothing else is. */
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'

const ROOT = new URL('../../', import.meta.url)
const PLACE = new URL('node_modules/.cache/muninn-ablations/', ROOT)
const PARTS = ['base', 'command', 'decide', 'event', 'fold', 'observe', 'persist', 'query', 'replay']

const HYBRID = 'fold/policies/hybrid'
const MODES = ['lru', 'lirs', 'lirs-lfu', 'lfu-1', 'lfu-15']
const ADAPTATION = 'decide/adaptation.js'

/** Takes a mode out of the list; caches begin in the one that they begin in now, or in the one after it. */
function without(mode) {
  const at = MODES.indexOf(mode)
  const first = at < 2 ? 1 : 2
  return [
    [`${HYBRID}/modes.js`, new RegExp(`\\n.*name: '${mode}',.*`), ''],
    [`${HYBRID}/modes.js`, 'FIRST_MODE = 2', `FIRST_MODE = ${first}`],
  ]
}

/** Begins in a mode and stays there. */
function alone(mode) {
  return [
    [`${HYBRID}/modes.js`, 'FIRST_MODE = 2', `FIRST_MODE = ${MODES.indexOf(mode)}`],
    [ADAPTATION, 'LEAD = 0.05', 'LEAD = 1e9'],
  ]
}

/** Name and changes: file, text there, text instead. */
export const ABLATIONS = [
  ['all parts', []],
  ...MODES.map((mode) => [`without \`${mode}\``, without(mode)]),
  [
    'the higher frequency wins, instead of learning',
    [[`${HYBRID}/comparator.js`, /const cell = this\.cellOf\(candidate, victim\);\n/, 'return candidate > victim;\n']],
  ],
  [
    'winners of a contest stay where they are',
    [
      [`${HYBRID}/hybrid.js`, /segments\.rotate\(oldest\)/, '{}'],
      [`${HYBRID}/shadow.js`, /segments\.rotate\(oldest\)/, '{}'],
    ],
  ],
  ['2 ghosts an entry, not 4', [[`${HYBRID}/ghosts.js`, 'PER_ENTRY = 4', 'PER_ENTRY = 2']]],
  [
    'the sketch takes frequencies of 1, too',
    [
      [`${HYBRID}/ghosts.js`, 'WORTH_KEEPING = 2', 'WORTH_KEEPING = 1'],
      [`${HYBRID}/directory.js`, 'WORTH_KEEPING = 2', 'WORTH_KEEPING = 1'],
    ],
  ],
  ['no share of disputed requests asked', [[ADAPTATION, 'SHARE_OF_DISPUTED = 0.15', 'SHARE_OF_DISPUTED = 0']]],
  ['a lead of 30 %, not 5', [[ADAPTATION, 'LEAD = 0.05', 'LEAD = 0.3']]],
  [
    'shadows of 62 to 124 entries, not 125 to 249',
    [
      [`${HYBRID}/shadows.js`, 'LEAST = 125', 'LEAST = 62'],
      [`${HYBRID}/shadows.js`, 'LEAST_AT_FIRST = 250', 'LEAST_AT_FIRST = 125'],
    ],
  ],
  ['begins in `lru`', [[`${HYBRID}/modes.js`, 'FIRST_MODE = 2', 'FIRST_MODE = 0']]],
  ['begins in `lfu-15`', [[`${HYBRID}/modes.js`, 'FIRST_MODE = 2', 'FIRST_MODE = 4']]],
  ...MODES.map((mode) => [`\`${mode}\` alone`, alone(mode)]),
]

/** Makes the copies; returns the address of `replay.js` in the one of each ablation. */
export function makeCopies() {
  rmSync(PLACE, { recursive: true, force: true })
  return ABLATIONS.map(([name, changes], i) => {
    const copy = new URL(`${i}/`, PLACE)
    for (const part of PARTS) cpSync(new URL(`dist/${part}`, ROOT), new URL(`dist/${part}`, copy), { recursive: true })
    mkdirSync(copy, { recursive: true })
    cpSync(new URL('package.json', ROOT), new URL('package.json', copy))
    for (const [file, from, to] of changes) {
      const path = new URL(`dist/${file}`, copy)
      const text = readFileSync(path, 'utf8')
      if (text.search(from) < 0) throw new Error(`ablation “${name}”: ${file} no longer has ${from}`)
      writeFileSync(path, text.replace(from, to))
    }
    return new URL('dist/replay/replay.js', copy).href
  })
}
