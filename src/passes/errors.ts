import { PermafrostError } from '../errors.ts'

/** A pass left a graph that the verifier refuses: a bug of ours, with the command that narrows it down. */
export class PassBrokeGraphError extends PermafrostError {
  readonly code = 'pass-broke-graph'
}

/** A pass was asked for by a name that does not exist. */
export class UnknownPassError extends PermafrostError {
  readonly code = 'unknown-pass'
}

/** A pass stands in front of the passes that it needs. */
export class PassOrderError extends PermafrostError {
  readonly code = 'pass-order'
}

/** Calls that cannot be inlined: recursive, nested too deeply, or too many. */
export class InlineError extends PermafrostError {
  readonly code = 'inline'
}

/** A parameter name that freezing by name does not know. */
export class InvalidParamNameError extends PermafrostError {
  readonly code = 'invalid-param-name'
}

/** A module that cannot be frozen as asked. */
export class FreezeError extends PermafrostError {
  readonly code = 'freeze'
}
