import { setFlagsFromString } from 'node:v8'
import { Script } from 'node:vm'

/*
 * How V8 holds a value, where no JavaScript can tell: asked of V8's own intrinsics. Their syntax is switched on while one
 * script of four functions is compiled, when this module loads, and off again; each call then takes 5 ns. Where that
 * cannot be done (another engine, flags that are frozen) a rule stands in for each answer.
 */

interface Representation {
  /** Whether an object's named properties are a hash table. For ordinary objects alone: V8 aborts on others. */
  readonly isHashed: (object: object, properties: number) => boolean
  /** Whether V8 keeps the text once for all who hold it: as literals, property names, and what `JSON.parse` finds short. */
  readonly isInternalized: (text: string) => boolean
  /** Whether an array holds small integers or doubles alone, in place. */
  readonly isNumeric: (array: readonly unknown[]) => boolean
  /** Whether an array's elements are a hash table by index. */
  readonly isSparse: (array: readonly unknown[]) => boolean
}

/** More properties than this, and V8 hashes them however they came. */
const MOST_FAST_PROPERTIES = 128
/** Elements that are looked at where V8 can't be asked, to tell whether an array holds numbers alone, or holes. */
const PROBES = 32
/** Shorter arrays are read whole there. */
const FEW_ELEMENTS = 1024

const INTRINSICS = `({
  isHashed: (object) => !%HasFastProperties(object),
  isInternalized: (text) => %IsInternalizedString(text),
  isNumeric: (array) => %HasSmiElements(array) || %HasDoubleElements(array),
  isSparse: (array) => %HasDictionaryElements(array),
})`

const guessed: Representation = {
  isHashed: (_, properties) => properties > MOST_FAST_PROPERTIES,
  isInternalized: () => false,
  isNumeric: (array) => array.length > PROBES && probed(array).every((value) => typeof value === 'number'),
  isSparse: (array) =>
    array.length > FEW_ELEMENTS && probed(array).filter((value) => value === undefined).length >= PROBES / 2,
}

function probed(array: readonly unknown[]): unknown[] {
  return Array.from({ length: PROBES }, (_, n) => {
    const index = Math.floor((n * array.length) / PROBES)
    return Object.getOwnPropertyDescriptor(array, index)?.value
  })
}

function ask(): Representation {
  if (!mayAsk()) return guessed
  try {
    const asked = compiled()
    return answersRightly(asked) ? asked : guessed
  } catch {
    return guessed
  }
}

/** Node itself, with flags that may still be set: to set them is fatal where they are frozen. */
function mayAsk(): boolean {
  const { versions, release, execArgv, env } = process
  const flags = [...execArgv, env['NODE_OPTIONS'] ?? ''].join(' ').replaceAll('_', '-')
  const embeds = 'electron' in versions || 'bun' in versions || 'deno' in versions
  return release.name === 'node' && !embeds && !flags.includes('freeze-flags')
}

function compiled(): Representation {
  const compile = (): Representation => new Script(INTRINSICS).runInThisContext()
  try {
    // The process may have the syntax on by itself; then it stays on.
    return compile()
  } catch {
    setFlagsFromString('--allow-natives-syntax')
    try {
      const asked = compile()
      // Functions are compiled when they are first called: while the syntax is on.
      answersRightly(asked)
      return asked
    } finally {
      setFlagsFromString('--no-allow-natives-syntax')
    }
  }
}

function answersRightly({ isHashed, isInternalized, isNumeric, isSparse }: Representation): boolean {
  const hashed: Record<string, number> = { a: 1, b: 2 }
  delete hashed['a']
  const text = String.fromCharCode(...Array.from({ length: 20 }, (_, k) => 97 + k))
  const sparse: number[] = []
  sparse[1_000_000] = 1
  return (
    isHashed(hashed, 1) &&
    !isHashed({ a: 1 }, 1) &&
    isInternalized('a literal') &&
    !isInternalized(`${text}${sparse.length}`) &&
    isNumeric([1, 2]) &&
    isNumeric([0.5]) &&
    !isNumeric(['x']) &&
    isSparse(sparse) &&
    !isSparse([1])
  )
}

let answers = ask()

/** Whether V8 could be asked; else rules stand in, and estimates of hashed objects and shared text are coarse. */
export const asksEngine = answers !== guessed

/*
 * V8 throws code away that was not called between a few collections, and then finds the syntax switched off: the call
 * throws, and everything is compiled anew.
 */

/** As `Representation` says. */
export function isHashed(object: object, properties: number): boolean {
  try {
    return answers.isHashed(object, properties)
  } catch {
    answers = ask()
    return answers.isHashed(object, properties)
  }
}

export function isInternalized(text: string): boolean {
  try {
    return answers.isInternalized(text)
  } catch {
    answers = ask()
    return answers.isInternalized(text)
  }
}

export function isNumeric(array: readonly unknown[]): boolean {
  try {
    return answers.isNumeric(array)
  } catch {
    answers = ask()
    return answers.isNumeric(array)
  }
}

export function isSparse(array: readonly unknown[]): boolean {
  try {
    return answers.isSparse(array)
  } catch {
    answers = ask()
    return answers.isSparse(array)
  }
}
