import { PermafrostError, type Place } from '../errors.ts'

/** A `raise` or a failed `assert` of the model itself. */
export class RaisedException extends PermafrostError {
  readonly code = 'raised-exception'
  /** `AssertionError`, `ValueError`, … */
  readonly exceptionClass: string
  readonly exceptionMessage: string

  constructor(exceptionClass: string, exceptionMessage: string, place: Place = {}) {
    super(exceptionMessage === '' ? exceptionClass : `${exceptionClass}: ${exceptionMessage}`, place)
    this.exceptionClass = exceptionClass
    this.exceptionMessage = exceptionMessage
  }
}

/** A run was ended by a limit: calls nested too deeply, too many steps, too long, too much memory. */
export class LimitExceededError extends PermafrostError {
  readonly code = 'limit-exceeded'
}

/** Inputs that a method cannot take: too few, too many, of a wrong type. */
export class InputError extends PermafrostError {
  readonly code = 'invalid-input'
}

/** A run met a value that its graph does not allow for: a missing attribute or method, a tuple of another length. */
export class ExecutionError extends PermafrostError {
  readonly code = 'execution'
}

/** A session was used after `dispose`. */
export class SessionDisposedError extends PermafrostError {
  readonly code = 'session-disposed'
}

/** A backend was asked for by a name that none has. */
export class UnknownBackendError extends PermafrostError {
  readonly code = 'unknown-backend'
}
