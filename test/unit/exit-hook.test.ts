import type { EventEmitter } from 'node:events'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { type ExitingLog, unwatchExit, watchExit } from '../../src/persist/exit-hook.ts'

/** What a log would record: the exit's code, and the exception that led to it. */
const ended: [code: number, error: string | null][] = []
const log: ExitingLog = {
  beforeExit: (code, error) => void ended.push([code, error]),
  awaitThread: () => {},
  stopThread: () => {},
  writeRest: () => {},
}

const before = process.listeners('exit')
watchExit(log)
const hook = process.listeners('exit').find((listener) => !before.includes(listener))

const now = vi.spyOn(performance, 'now')

/** An exception that a handler of the process's own catches. */
function throwAt(at: number, error: unknown): void {
  now.mockReturnValue(at)
  const emitter: EventEmitter = process
  emitter.emit('uncaughtExceptionMonitor', error)
}

function exitAt(at: number, code: number): void {
  now.mockReturnValue(at)
  watchExit(log)
  hook?.call(process, code)
}

afterEach(() => {
  unwatchExit(log)
  ended.length = 0
})

describe('the end of a process', () => {
  test('soon after an exception that nobody caught is its doing', () => {
    throwAt(1_000_000, new RangeError('too far'))
    exitAt(1_009_999, 1)
    expect(ended).toEqual([[1, 'RangeError']])
  })

  test('long after one that was handled is not', () => {
    throwAt(2_000_000, new RangeError('too far'))
    exitAt(2_010_000, 1)
    expect(ended).toEqual([[1, null]])
  })

  test('with code 0 is not, however soon', () => {
    throwAt(3_000_000, 'not even an error')
    exitAt(3_000_001, 0)
    expect(ended).toEqual([[0, null]])
  })
})
