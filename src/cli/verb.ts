import type { ParseArgsConfig } from 'node:util'
import type { Arguments } from './arguments.ts'

/** Where a verb writes; `json` documents are the only thing on stdout when they are asked for. */
export interface Output {
  readonly json: boolean
  /** A line for people, on stdout; nothing when JSON is asked for. */
  print(text: string): void
  /** The one JSON document. */
  document(value: unknown): void
  /** A message, on stderr. */
  message(text: string): void
}

export interface Verb {
  readonly name: string
  readonly summary: string
  /** What follows `permafrost`. */
  readonly usage: string
  readonly options: NonNullable<ParseArgsConfig['options']>
  /** Returns the exit code; throws for bad usage and bad input. */
  run(args: Arguments, out: Output): number | Promise<number>
}
