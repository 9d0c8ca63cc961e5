import assert from 'node:assert/strict'
import type { EventOf, EventType, MuninnEvent } from '../../src/event/catalogue.ts'

/** Reads the events of one call in their order, each against what is expected there. */
export class EventCursor {
  private readonly events: readonly MuninnEvent[]
  private place = 0

  /** What a policy changes of itself is left out: when is its own affair, and no call's answer. */
  constructor(events: readonly MuninnEvent[]) {
    this.events = events.filter(({ type }) => type !== 'adapted' && type !== 'divided')
  }

  /** The type of the event to come, or `null` after the last. */
  get coming(): EventType | null {
    return this.events[this.place]?.type ?? null
  }

  /** The event to come, which must be of that type and have these fields. */
  next<T extends EventType>(type: T, fields: Partial<EventOf<T>> = {}): EventOf<T> {
    const event = this.events[this.place++]
    assert.equal(event?.type, type, `${type} is expected next, of ${this.told()}`)
    const found = event as EventOf<T>
    for (const name of Object.keys(fields) as (keyof EventOf<T>)[]) {
      assert.deepEqual(found[name], fields[name], `${type}.${String(name)} of ${JSON.stringify(event)}`)
    }
    return found
  }

  /** Asserts that nothing else was told. */
  end(): void {
    assert.equal(
      this.place,
      this.events.length,
      `nothing more is expected than the first ${this.place} of ${this.told()}`,
    )
  }

  private told(): string {
    return `[${this.events.map((event) => ('key' in event ? `${event.type} ${event.key}` : event.type)).join(', ')}]`
  }
}
