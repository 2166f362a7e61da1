import { PermafrostError } from '../errors.ts'

/** The command line is wrong: exit code 2. */
export class UsageError extends PermafrostError {
  readonly code = 'usage'
}

/** Two models gave different results: exit code 1. */
export class DifferenceError extends PermafrostError {
  readonly code = 'difference'
}

/** A graph that is planned in parts was to be shown as a whole: exit code 3. */
export class SplitGraphError extends PermafrostError {
  readonly code = 'split-graph'
}
