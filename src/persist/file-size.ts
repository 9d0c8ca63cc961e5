import type { Database, Statement } from './driver.ts'

/** Pages given back at a time: under a millisecond. */
const PAGES_A_STEP = 128
/** Free pages that may stay, since they are about to be used again: a share of those in use. */
const SLACK = 1 / 16

const SELECT_SIZE = `
  select page_size as pageSize, page_count as pages, freelist_count as free
  from pragma_page_size, pragma_page_count, pragma_freelist_count`

/** How large the file is, without its WAL, and how it gets smaller. */
export class FileSize {
  readonly #database: Database
  readonly #size: Statement

  constructor(database: Database) {
    this.#database = database
    this.#size = database.prepare(SELECT_SIZE)
  }

  /** Bytes in use. */
  get used(): number {
    const { pageSize, pages, free } = this.#read()
    return (pages - free) * pageSize
  }

  /** Gives free pages back to the system; false if there are none to give. A file of version 1 keeps them for itself. */
  step(): boolean {
    const { pages, free } = this.#read()
    if (free <= PAGES_A_STEP + (pages - free) * SLACK) return false
    this.#database.pragma(`incremental_vacuum(${PAGES_A_STEP})`)
    return this.#read().free < free
  }

  #read(): { readonly pageSize: number; readonly pages: number; readonly free: number } {
    return this.#size.get() as { pageSize: number; pages: number; free: number }
  }
}
