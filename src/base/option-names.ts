import { OptionError } from './errors.ts'

/**
 * Refuses names that are not known: mostly a known one misspelled.
 *
 * @param path of the object in the options, as `audit.`.
 * @throws {OptionError} naming the first of them, and those that there are.
 */
export function checkNames(options: object, known: readonly string[], path = '', refusal = 'is not an option'): void {
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) throw new OptionError(`${path}${name}`, `${refusal}; options are ${known.join(', ')}`)
  }
}
