/** Longest name that is kept. */
const LONGEST = 100

/** The name of whatever was thrown, as text, and no code of its own can do harm; of what is no error, its type. */
export function errorName(error: unknown): string {
  try {
    return error instanceof Error ? String(error.name).slice(0, LONGEST) : typeof error
  } catch {
    return typeof error
  }
}
