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

/** All that version 2 is asked for. */
const required = [
  ...['engine_create', 'engine_destroy', 'stream_create', 'stream_destroy', 'get_effective_cpu_isa'],
  ...['memory_create', 'memory_destroy', 'memory_desc_get_size', 'memory_set_data_handle'],
  ...['primitive_attr_create', 'primitive_attr_destroy', 'primitive_attr_set_post_ops'],
  ...['primitive_attr_set_scratchpad_mode', 'post_ops_create', 'post_ops_destroy', 'post_ops_append_binary'],
  ...['post_ops_append_eltwise', 'post_ops_append_sum', 'primitive_desc_create', 'primitive_desc_destroy'],
  ...['primitive_desc_query', 'primitive_desc_query_md', 'primitive_create', 'primitive_destroy'],
  ...['primitive_execute', 'reorder_primitive_desc_create', 'concat_primitive_desc_create'],
  ...['dilated_convolution_forward_desc_init', 'dilated_deconvolution_forward_desc_init', 'matmul_desc_init'],
  ...['inner_product_forward_desc_init', 'pooling_v2_forward_desc_init', 'eltwise_forward_desc_init'],
  ...['binary_desc_init', 'softmax_v2_forward_desc_init', 'layer_normalization_forward_desc_init'],
  ...['batch_normalization_forward_desc_init', 'resampling_forward_desc_init', 'reduction_desc_init'],
]

/** @throws OneDnnMissingError naming the first function that the library lacks */
export function checkComplete(library: ForeignLibrary): void {
  const functions = new Functions(library)
  for (const name of required) functions.get(`dnnl_${name}`, '', 'void')
}

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
