import { PermafrostError } from '../errors.ts'

/** A `.npy` text or array that is not well formed, or of a kind we do not read. */
export class NpyFormatError extends PermafrostError {
  readonly code = 'npy-format'
}
