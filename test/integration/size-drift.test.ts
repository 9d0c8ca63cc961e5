import { expect, test } from 'vitest'
import { AuditFolder } from '../support/audit-file.ts'
import { muninn } from './cli-support.ts'
import { ask, testService } from './http-support.ts'

test('values that are changed after they were stored are a finding over HTTP and on the command line', async () => {
  using files = new AuditFolder()
  const { memory, port, close } = await testService({ memory: { audit: files.path(), remeasure: 50 } })
  const values = Array.from({ length: 50 }, (_, i) => {
    const value = [new ArrayBuffer(1_000)]
    memory.cache('page').set(`user:${i}`, value)
    return value
  })
  for (const value of values) value.push(new ArrayBuffer(2_000))
  memory.check()
  await memory.flush()
  const { items } = (await ask(port, { path: '/api/audit/doctor' })).json() as { items: object[] }
  expect(items).toMatchObject([{ finding: 'size drift', cache: 'page', setting: 'clone', value: null }])
  const { out } = await muninn(['doctor', '--db', files.path()])
  expect(out).toContain('WARNING: size drift in cache page')
  expect(out).toContain('Change clone from false to true.')
  await close()
})
