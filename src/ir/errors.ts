import { PermafrostError } from '../errors.ts'

/** A schema, type or graph text that is not well formed. */
export class IrSyntaxError extends PermafrostError {
  readonly code = 'ir-syntax'
}

/** A graph that breaks a rule of the IR; the message lists every fault. */
export class VerifierError extends PermafrostError {
  readonly code = 'ir-invalid'
}
