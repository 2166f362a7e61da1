import { OneDnnError, OneDnnMissingError } from './errors.ts'
import type { CArgument, CFunction, ForeignLibrary } from './foreign-library.ts'

// dnnl_status_t of oneDNN 2.x (dnnl_types.h).
const statuses = [
  'success',
  'out_of_memory',
  'invalid_arguments',
  'unimplemented',
  'iterator_ends',
  'runtime_error',
  'not_required',
]

/** Looks functions up by name, once. */
export class Functions {
  readonly #library: ForeignLibrary
  readonly #known = new Map<string, CFunction>()

  constructor(library: ForeignLibrary) {
    this.#library = library
  }

  get(name: string, parameters: string, result = 'int'): CFunction {
    let found = this.#known.get(name)
    if (found === undefined) this.#known.set(name, (found = this.#find(name, parameters, result)))
    return found
  }

  #find(name: string, parameters: string, result: string): CFunction {
    try {
      return this.#library.function(`${result} ${name}(${parameters})`)
    } catch (cause) {
      throw new OneDnnMissingError(
        `the library has no function ${name}`,
        {},
        'it may be an incomplete build',
        { cause },
      )
    }
  }

  /** Calls a function that gives a status. */
  call(name: string, parameters: string, ...args: readonly CArgument[]): void {
    check(this.get(name, parameters)(...args), name)
  }
}

/** @throws OneDnnError for every status but success */
export function check(status: number, call: string): void {
  if (status !== 0) throw new OneDnnError(statuses[status] ?? `status ${status}`, call)
}
