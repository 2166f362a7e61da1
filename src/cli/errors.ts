import { PermafrostError } from '../errors.ts'

/** The command line is wrong: exit code 2. */
export class UsageError extends PermafrostError {
  readonly code = 'usage'
}

/** Two models gave different results: exit code 1. */
export class DifferenceError extends PermafrostError {
  readonly code = 'difference'
}
