import type { Observer, Operator } from 'rxjs'
// The classes from where rxjs's own index has them: it would load two hundred files for them, a tenth of a start.
import { Observable } from 'rxjs/internal/Observable'
import { Subscriber } from 'rxjs/internal/Subscriber'
import { Subscription } from 'rxjs/internal/Subscription'
import type { EventOf, EventType } from '../event/catalogue.ts'
import type { Publisher, Sink } from './publisher.ts'

/**
 * A stream of events whose subscribers can't hurt anyone: RxJS by itself rethrows what a subscriber or operator throws
 * on a later tick, which ends the process. Here `subscribe` guards its consumer, and `lift` keeps the class, so that
 * pipes are guarded too. Operators that build an Observable of their own (`merge`, a `Subject` in between, the groups of `groupBy`) keep
 * RxJS's rule. A direct subscriber is called as a plain function, which costs a third of what a `Subject` does.
 */
export class EventStream<T> extends Observable<T> {
  private readonly publisher: Publisher

  /** @param attach registers a sink and returns what removes it. */
  constructor(publisher: Publisher, attach?: (sink: Sink<T>) => () => void) {
    super(attach === undefined ? undefined : (subscriber) => attach(sinkOf(subscriber)))
    this.publisher = publisher
    this.attach = attach ?? null
  }

  private readonly attach: ((sink: Sink<T>) => () => void) | null

  override lift<R>(operator?: Operator<T, R>): Observable<R> {
    const lifted = new EventStream<R>(this.publisher)
    lifted.source = this
    lifted.operator = operator
    return lifted
  }

  override subscribe(observerOrNext?: Partial<Observer<T>> | ((value: T) => void) | null): Subscription
  override subscribe(
    next?: ((value: T) => void) | null,
    error?: ((error: unknown) => void) | null,
    complete?: (() => void) | null,
  ): Subscription
  override subscribe(
    observerOrNext?: Partial<Observer<T>> | ((value: T) => void) | null,
    error?: ((error: unknown) => void) | null,
    complete?: (() => void) | null,
  ): Subscription {
    // An operator's own subscriber: what it throws comes to the consumer's `error`, which is guarded below.
    if (observerOrNext instanceof Subscriber) return super.subscribe(observerOrNext)
    const observer: Partial<Observer<T>> =
      typeof observerOrNext === 'object' && observerOrNext !== null
        ? bound(observerOrNext)
        : { ...call('next', observerOrNext), ...call('error', error), ...call('complete', complete) }
    return this.attach === null
      ? super.subscribe(this.guarded(observer))
      : this.subscribeDirectly(this.attach, observer)
  }

  private subscribeDirectly(attach: (sink: Sink<T>) => () => void, observer: Partial<Observer<T>>): Subscription {
    const subscription = new Subscription()
    const sink: Sink<T> = {
      next: observer.next ?? (() => {}),
      complete: () => {
        try {
          observer.complete?.()
        } finally {
          subscription.unsubscribe()
        }
      },
      closed: false,
    }
    subscription.add(attach(sink))
    return subscription
  }

  private guarded(observer: Partial<Observer<T>>): Observer<T> {
    const { publisher } = this
    return {
      next: (value) => publisher.guarded(() => observer.next?.(value)),
      error: (error) =>
        observer.error === undefined ? publisher.failed(error) : publisher.guarded(() => observer.error?.(error)),
      complete: () => publisher.guarded(() => observer.complete?.()),
    }
  }
}

/** An observer's methods as functions. A plain function is left as it is: V8 calls a bound one 3 ns slower. */
function bound<T>(observer: Partial<Observer<T>>): Partial<Observer<T>> {
  return {
    ...call('next', observer.next?.bind(observer)),
    ...call('error', observer.error?.bind(observer)),
    ...call('complete', observer.complete?.bind(observer)),
  }
}

function call<N extends string, F>(name: N, f: F | null | undefined): Partial<Record<N, F>> {
  return f === null || f === undefined ? {} : ({ [name]: f } as Record<N, F>)
}

function sinkOf<T>(subscriber: Subscriber<T>): Sink<T> {
  return { next: (value) => subscriber.next(value), complete: () => subscriber.complete(), closed: false }
}

/** The stream of some event types, in `seq` order. */
export function eventStream<T extends EventType>(publisher: Publisher, types: readonly T[]): EventStream<EventOf<T>> {
  return new EventStream<EventOf<T>>(publisher, (sink) => publisher.attach(types, sink))
}
