import { expect } from 'vitest'
import { InvalidEntryError, type MemoryManagerOptions, type SetOptions } from '../../src/muninn.ts'
import { type Bed, bed, thrownBy } from './manager-bed.ts'

/** A cache with one entry, `k`, that a bad store would overwrite. */
export function held(options: MemoryManagerOptions = {}): Bed {
  const made = bed({ maxMemory: 10_000, ...options })
  made.memory.cache('c').set('k', 'old', { size: 10, ttl: 1_000 })
  made.memory.cache('c').get('k')
  return made
}

/** A store with these options (of a value, if one is given) throws, says what is allowed, and changes nothing. */
export function expectRefused(
  made: Bed,
  options: object | undefined,
  code: string,
  allowed: RegExp,
  ...values: unknown[]
): void {
  const value = values.length === 0 ? 'new' : values[0]
  made.expectUnchanged(() => {
    for (const store of ['set', 'put'] as const) {
      const error = thrownBy(() => made.memory.cache('c')[store]('k', value, options as SetOptions))
      expect(error).toBeInstanceOf(InvalidEntryError)
      expect(error).toBeInstanceOf(TypeError)
      expect(error).toMatchObject({ code, name: 'InvalidEntryError' })
      expect(error.message).toMatch(allowed)
    }
  })
}
