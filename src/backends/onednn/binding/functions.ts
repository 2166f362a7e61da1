import { OneDnnError, OneDnnMissingError } from './errors.ts'
import type { CArgument, CFunction, ForeignLibrary } from './foreign-library.ts'

// dnnl_status_t (dnnl_types.h), the same in versions 2 and 3.
const statuses = [
  'success',
  'out_of_memory',
  'invalid_arguments',
  'unimplemented',
  'iterator_ends',
  'runtime_error',
  'not_required',
]

/** What every version is asked for. */
const required = [
  ...['engine_create', 'engine_destroy', 'stream_create', 'stream_destroy', 'get_effective_cpu_isa'],
  ...['memory_create', 'memory_destroy', 'memory_desc_get_size', 'memory_set_data_handle'],
  ...['primitive_attr_create', 'primitive_attr_destroy', 'primitive_attr_set_post_ops'],
  ...['primitive_attr_set_scratchpad_mode', 'post_ops_create', 'post_ops_destroy', 'post_ops_append_binary'],
  ...['post_ops_append_eltwise', 'post_ops_append_sum', 'primitive_desc_destroy', 'primitive_desc_query'],
  ...['primitive_desc_query_md', 'primitive_create', 'primitive_destroy', 'primitive_execute'],
  ...['reorder_primitive_desc_create', 'concat_primitive_desc_create'],
]

/** The library's functions, looked up by name, once. */
export class Functions {
  readonly #library: ForeignLibrary
  readonly #known = new Map<string, CFunction>()

  constructor(library: ForeignLibrary) {
    this.#library = library
  }

  /** @throws OneDnnMissingError naming the first function that the library lacks @param more names without `dnnl_` */
  checkComplete(more: readonly string[]): void {
    for (const name of [...required, ...more]) this.#find(`dnnl_${name}`, '', 'void')
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

  /** A function that gives an address. */
  getAddressed(name: string, parameters: string, result: string): (...args: readonly CArgument[]) => bigint {
    return this.get(name, parameters, result) as unknown as (...args: readonly CArgument[]) => bigint
  }

  /** Calls a function that gives a status. @throws OneDnnError for every status but success */
  call(name: string, parameters: string, ...args: readonly CArgument[]): void {
    check(this.get(name, parameters)(...args), name)
  }

  /** Calls a function that gives a status and whose first parameter receives a pointer. */
  handle(name: string, parameters: string, ...args: readonly CArgument[]): bigint {
    const out = new BigUint64Array(1)
    this.call(name, `void* out${parameters && `, ${parameters}`}`, out, ...args)
    return out[0]!
  }
}

/** @throws OneDnnError for every status but success */
export function check(status: number, call: string): void {
  if (status !== 0) throw new OneDnnError(statuses[status] ?? `status ${status}`, call)
}
