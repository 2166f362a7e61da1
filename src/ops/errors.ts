import { PermafrostError } from '../errors.ts'

/** An operator was called with arguments it cannot take: wrong shape, dtype, index, dimension. */
export class OperatorArgumentError extends PermafrostError {
  readonly code = 'operator-argument'
}

/** An operator, or this case of it, has no kernel. */
export class UnsupportedOperatorError extends PermafrostError {
  readonly code = 'unsupported-operator'
}
