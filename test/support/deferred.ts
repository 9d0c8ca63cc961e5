export interface Deferred<V> {
  readonly promise: Promise<V>
  readonly resolve: (value: V) => void
  readonly reject: (reason: unknown) => void
}

/** A promise that settles when the test says so. */
export function deferred<V>(): Deferred<V> {
  let settle: Pick<Deferred<V>, 'resolve' | 'reject'> | undefined
  const promise = new Promise<V>((resolve, reject) => {
    settle = { resolve, reject }
  })
  return { promise, ...(settle as Pick<Deferred<V>, 'resolve' | 'reject'>) }
}
