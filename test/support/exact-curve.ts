const NEVER = Number.POSITIVE_INFINITY

/** All keys and sizes in one array, most recent first, and the distance of each request: Mattson's stack as it is told. */
export class ExactCurve {
  readonly distances: { readonly items: number; readonly bytes: number }[] = []
  private stack: { hash: number; size: number; expiresAt: number }[] = []

  request(hash: number, at: number, isHit: boolean): void {
    const place = this.stack.findIndex((entry) => entry.hash === hash)
    const entry = this.stack[place]
    if (entry === undefined || (!isHit && entry.expiresAt <= at)) {
      if (entry !== undefined) this.stack.splice(place, 1)
      // A hit of what nobody knows of tells nothing.
      if (entry !== undefined || !isHit) this.distances.push({ items: NEVER, bytes: NEVER })
      return
    }
    const above = this.stack.slice(0, place + 1)
    this.distances.push({ items: above.length, bytes: above.reduce((sum, { size }) => sum + size, 0) })
    this.stack.splice(place, 1)
    this.stack.unshift(entry)
  }

  store(hash: number, size: number, expiresAt: number): void {
    this.remove(hash)
    this.stack.unshift({ hash, size, expiresAt })
  }

  resize(hash: number, size: number): void {
    for (const entry of this.stack) if (entry.hash === hash) entry.size = size
  }

  remove(hash: number): void {
    this.stack = this.stack.filter((entry) => entry.hash !== hash)
  }

  at(by: 'items' | 'bytes', sizes: readonly number[]): number[] {
    const { distances } = this
    return sizes.map((size) => {
      return distances.length === 0 ? 0 : distances.filter((one) => one[by] <= size).length / distances.length
    })
  }
}
