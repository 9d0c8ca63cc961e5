import type { AuditOptions } from '../../src/base/audit-options.ts'
import type { EventType, MuninnEvent, Started } from '../../src/event/catalogue.ts'
import { runHeader } from '../../src/persist/batch.ts'
import { Outbox } from '../../src/persist/outbox.ts'
import { Writer } from '../../src/persist/writer.ts'
import { auditSettings } from './audit-file.ts'
import { type Fields, Run } from './events.ts'

/** A run that is written from the test's own thread, batch by batch, when the test says so: all of it in virtual time. */
export class WrittenRun implements Disposable {
  readonly events: MuninnEvent[] = []
  readonly writer: Writer
  readonly #run: Run
  readonly #outbox = new Outbox()

  constructor(id: string, options: Partial<AuditOptions> & { path: string }, at = 1_000) {
    this.#run = new Run(id)
    this.#run.at = at
    const started = this.#run.started() as Started
    this.writer = new Writer(options.path, runHeader(started, auditSettings(options)), 2_000)
    this.#take(started)
  }

  get at(): number {
    return this.#run.at
  }

  get seq(): number {
    return this.#run.seq
  }

  passTo(at: number): void {
    this.#run.at = at
  }

  tell<T extends EventType>(type: T, fields: Partial<Fields[T]> = {}): MuninnEvent {
    const event = this.#run.event(type, fields)
    if (this.#take(event)) this.write()
    return event
  }

  /** What was told since, as a batch. */
  write(): void {
    const batch = this.#outbox.cut()
    if (batch !== null) this.writer.write(batch)
  }

  /** Everything that is to be done between batches. */
  keepUp(): number {
    let steps = 0
    while (this.writer.upkeep()) steps++
    return steps
  }

  stop(): void {
    this.tell('stopped')
    this.write()
  }

  [Symbol.dispose](): void {
    this.writer.close()
  }

  #take(event: MuninnEvent): boolean {
    this.events.push(event)
    return this.#outbox.add(event)
  }
}
