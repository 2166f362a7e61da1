import { PermafrostError } from '../errors.ts'

/** A file that cannot be read or written. */
export class FileError extends PermafrostError {
  readonly code = 'file'
}
