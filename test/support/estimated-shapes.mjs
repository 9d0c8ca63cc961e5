// What the shapes really cost and what is estimated, as JSON: `node --expose-gc estimated-shapes.mjs ROUNDS [name …]`.
import { estimateSize } from '../../dist/muninn.js'
import { measure } from './shape-growth.mjs'
import { SHAPES, UNTOLD } from './shapes.mjs'

/** The reference that holds a value is there before, in the list of copies. */
const REFERENCE = process.config.variables.v8_enable_pointer_compression === 1 ? 4 : 8

const [, , rounds, ...names] = process.argv
const wanted = (shapes) => Object.entries(shapes).filter(([name]) => names.length === 0 || names.includes(name))
const estimate = (value) => estimateSize(value) - REFERENCE
const measured = (shapes) =>
  wanted(shapes).map(([name, make]) => ({ name, ...measure(make, estimate, Number(rounds)) }))

process.stdout.write(JSON.stringify({ shapes: measured(SHAPES), untold: measured(UNTOLD) }))
