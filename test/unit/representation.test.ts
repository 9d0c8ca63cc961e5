import { setFlagsFromString } from 'node:v8'
import { runInNewContext, Script } from 'node:vm'
import { expect, it } from 'vitest'
import { asksEngine, isHashed, isInternalized, isNumeric, isSparse } from '../../src/base/memory/representation.ts'

setFlagsFromString('--expose-gc')
const collect: () => void = runInNewContext('gc')

function expectAnswers(): void {
  const hashed: Record<string, number> = { a: 1, b: 2, c: 3 }
  delete hashed['a']
  expect([isHashed(hashed, 2), isHashed({ a: 1 }, 1)]).toEqual([true, false])
  expect([isInternalized('a literal'), isInternalized(Buffer.from('fresh text').toString())]).toEqual([true, false])
  expect([isNumeric([0.5]), isNumeric(['x'])]).toEqual([true, false])
  expect([isSparse(Object.assign([], { 1000000: 1 })), isSparse([1])]).toEqual([true, false])
}

it('asks V8, and leaves its syntax switched off', () => {
  expect(asksEngine).toBe(true)
  expectAnswers()
  expect(() => new Script('%HasFastProperties({})')).toThrow(SyntaxError)
})

it('asks again when V8 has thrown the code away', () => {
  for (let i = 0; i < 30; i++) collect()
  expectAnswers()
  expect(() => new Script('%HasFastProperties({})')).toThrow(SyntaxError)
})
