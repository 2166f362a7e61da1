/** Where a fault was found. Only what is known is set. */
export interface Place {
  /** Archive entry, e.g. `data.pkl`. */
  readonly entry?: string
  /** Byte offset in the entry (or in the file when no entry is named). */
  readonly offset?: number
  /** 1-based line and column of source or IR text. */
  readonly line?: number
  readonly column?: number
  /** Node kind or printed node, debug name of a value, qualified method name. */
  readonly node?: string
  readonly value?: string
  readonly method?: string
  /** Name of an argument or attribute. */
  readonly argument?: string
  /** The Python line the code was compiled from, `file.py:17:4`. */
  readonly original?: string
}

export function formatPlace(place: Place): string {
  const parts: string[] = []
  if (place.entry !== undefined) {
    const line =
      place.line === undefined ? '' : `:${place.line}${place.column === undefined ? '' : `:${place.column}`}`
    parts.push(`in ${place.entry}${line}`)
  } else if (place.line !== undefined) {
    parts.push(`at line ${place.line}${place.column === undefined ? '' : `, column ${place.column}`}`)
  }
  if (place.offset !== undefined) parts.push(`at byte ${place.offset}`)
  if (place.argument !== undefined) parts.push(`at argument '${place.argument}'`)
  if (place.node !== undefined) parts.push(`at ${place.node}`)
  if (place.value !== undefined) parts.push(`for %${place.value}`)
  if (place.method !== undefined) parts.push(`in method ${place.method}`)
  if (place.original !== undefined) parts.push(`written as ${place.original}`)
  return parts.length === 0 ? '' : `\n  ${parts.join(', ')}`
}

/**
 * The root of every error this library throws on purpose: what was found, where, and what to do about it.
 * Anything else that escapes is a bug of ours.
 */
export abstract class PermafrostError extends Error {
  /** Stable machine-readable name, e.g. `archive-truncated`. */
  abstract readonly code: string
  readonly found: string
  readonly advice: string

  #place: Place

  constructor(found: string, place: Place = {}, advice = '', options?: ErrorOptions) {
    super(messageOf(found, place, advice), options)
    this.found = found
    this.#place = place
    this.advice = advice
    this.name = new.target.name
  }

  get place(): Place {
    return this.#place
  }

  /** Adds what is known of the place and was not known where the error was thrown. */
  withPlace(place: Place): this {
    this.#place = { ...place, ...this.#place }
    this.message = messageOf(this.found, this.#place, this.advice)
    return this
  }
}

function messageOf(found: string, place: Place, advice: string): string {
  return `${found}${formatPlace(place)}${advice === '' ? '' : `\n  ${advice}`}`
}

/** Reports a broken invariant of this library itself: never caused by input. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) bug(message)
}

/** As a broken `invariant`, where its message would have to be put together each time that all is well. */
export function bug(message: string): never {
  // eslint-disable-next-line no-restricted-syntax -- the one place where a plain Error is right
  throw new Error(`permafrost bug: ${message}`)
}
