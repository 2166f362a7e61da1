import { PermafrostError } from '../errors.ts'

/** A `.npy` text or array that is not well formed, or of a kind we do not read. */
export class NpyFormatError extends PermafrostError {
  readonly code = 'npy-format'
}

/** A tag that names no layout, a tensor that does not fit one, or one read as if it lay otherwise. */
export class LayoutError extends PermafrostError {
  readonly code = 'layout'
}
