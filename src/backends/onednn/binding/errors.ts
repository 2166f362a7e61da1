import { PermafrostError } from '../../../errors.ts'

/** The library, or what calls it, is not on this system. */
export class OneDnnMissingError extends PermafrostError {
  readonly code = 'onednn-missing'
}

/** A file was found that is no oneDNN, or one of a version that is not understood. */
export class OneDnnVersionError extends PermafrostError {
  readonly code = 'onednn-version'
}

const advice: Readonly<Record<string, string>> = {
  out_of_memory: 'run it on smaller inputs, or with the reference backend',
  runtime_error: 'run it with the reference backend',
}

/** The library refused a call. */
export class OneDnnError extends PermafrostError {
  readonly code = 'onednn'
  /** `unimplemented`, `out_of_memory`, … */
  readonly status: string

  constructor(status: string, call: string) {
    super(`oneDNN answered ${status} to ${call}`, {}, advice[status] ?? '')
    this.status = status
  }

  /** The library has nothing for such a call; it may be done in another way. */
  get isRefusal(): boolean {
    return this.status === 'unimplemented' || this.status === 'invalid_arguments'
  }
}
