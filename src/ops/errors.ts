import { PermafrostError } from '../errors.ts'

/** An operator was called with arguments it cannot take: wrong shape, dtype, index, dimension. */
export class OperatorArgumentError extends PermafrostError {
  readonly code = 'operator-argument'
}

/** An operator, or this case of it, has no kernel. */
export class UnsupportedOperatorError extends PermafrostError {
  readonly code = 'unsupported-operator'
}

/** An index outside a list, string or tuple. */
export class IndexOutOfRangeError extends PermafrostError {
  readonly code = 'index-out-of-range'
}

/** A key that a dict does not have. */
export class MissingKeyError extends PermafrostError {
  readonly code = 'missing-key'
}
