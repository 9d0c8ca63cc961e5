/** How full the memory is that the caches share with the rest of the process. */
export interface Fullness {
  readonly used: number
  readonly limit: number
  /** Whether a garbage collection has just ended: what is used is in use. Else it is an upper bound. */
  readonly settled: boolean
  /** Used up at the present growth within seconds, or paid for with much of the time: pressure begins earlier. */
  readonly strained: boolean
}

/** Shares of a limit at which something happens, in ascending order. */
export interface PressureMarks {
  /** There is room again. */
  readonly relief: number
  /** What a lowered budget aims at. */
  readonly aim: number
  /** The process is short of memory, if that much is left after a garbage collection and it is strained, */
  readonly strained: number
  /** or in any case. */
  readonly start: number
  /** It is short of memory, garbage or not. */
  readonly last: number
}

/**
 * Of V8's old generation. V8 gives up ("ineffective mark-compacts near heap limit") where four collections in a row leave
 * more than 80 %; and it collects at the latest half-way from what the last one left to the limit, so that 87 % with
 * garbage say that more than 74 % were left.
 */
export const HEAP_MARKS: PressureMarks = { relief: 0.55, aim: 0.62, strained: 0.66, start: 0.7, last: 0.87 }

const MIB = 1024 ** 2

/**
 * Of what the process, its container or the machine may use: room for garbage. V8 lets Buffers' garbage grow by 64 MB
 * before it collects, and the allocator keeps much of what is freed: a small container needs a larger share.
 */
export function residentMarks(limit: number): PressureMarks {
  const room = Math.min(Math.max(0.15 * limit, 64 * MIB), 0.35 * limit, 1024 * MIB) / limit
  return { relief: 1 - 1.6 * room, aim: 1 - 1.3 * room, strained: 1 - 1.15 * room, start: 1 - room, last: 1 - room / 2 }
}

/** A budget as it holds now, and what it is when nothing is wrong. */
export interface HeldBudget {
  /** What the caches hold of it. */
  readonly held: number
  readonly effective: number
  readonly stated: number
}

/** Changes smaller than this share of the stated budget are not worth an event. */
const WORTH = 1 / 64
/** A budget is not lowered below this in one step, in bytes or as a share of the stated one. */
const LEAST = 64 * 1024
/** It is raised by this factor at most. */
const MOST_RAISE = 4

/** The budget that pressure leaves, lower than now; or `null`. Only ever lower than what the caches hold. */
export function loweredBudget(
  { held, effective, stated }: HeldBudget,
  { used, limit, settled, strained }: Fullness,
  marks: PressureMarks,
  frozen: boolean,
): number | null {
  const share = used / limit
  // Below the least, by half: what is held may be more than its stated sizes say.
  const least = Math.min(held / 2, Math.max(LEAST, stated * WORTH))
  if (settled && share >= (strained ? marks.strained : marks.start)) {
    const wanted = Math.floor(Math.max(least, held - (used - marks.aim * limit)))
    return wanted < effective - Math.min(effective, stated) * WORTH ? wanted : null
  }
  if (share < marks.last) return null
  // Garbage, for all that is known: first only no growth; where it goes on filling, some of what is held.
  const wanted = Math.floor(frozen ? held * 0.75 : held)
  return wanted < effective ? wanted : null
}

/** The budget that room allows again, higher than now; or `null`. */
export function raisedBudget(
  { held, effective, stated }: HeldBudget,
  { used, limit, strained }: Fullness,
  marks: PressureMarks,
): number | null {
  if (effective >= stated || strained || used / limit > marks.relief) return null
  // Half of the room at once: what is stored into it costs more than its bytes until it is collected.
  const room = (marks.aim * limit - used) / 2
  const wanted = Math.floor(Math.min(stated, held + room, MOST_RAISE * effective))
  return wanted > effective + Math.min(effective, stated) * WORTH ? wanted : null
}
