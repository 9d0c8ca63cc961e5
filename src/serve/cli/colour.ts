/* Colour, on a terminal alone, and not where NO_COLOR is set (no-color.org). */

const CODES = { bold: [1, 22], red: [31, 39], yellow: [33, 39], green: [32, 39], dim: [2, 22] } as const

/** The text in that colour; never inside a table, whose widths it would spoil. */
export function coloured(text: string, colour: keyof typeof CODES): string {
  const isOff = process.env.NO_COLOR !== undefined && process.env.NO_COLOR !== ''
  if (!process.stdout.isTTY || isOff || process.env.TERM === 'dumb') return text
  const [on, off] = CODES[colour]
  return `\u001b[${on}m${text}\u001b[${off}m`
}
