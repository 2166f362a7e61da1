import { Tuple, type IValue, type ScriptObject } from '../ir/ivalue.ts'
import { freeze } from '../passes/freeze-module.ts'
import { inlinedGraph } from '../passes/preoptimize.ts'
import { PermafrostError } from '../errors.ts'
import { plainTensor } from '../tensor/convert-layout.ts'
import type { Storage } from '../tensor/storage.ts'
import { Tensor } from '../tensor/tensor.ts'
import type { Backend, StepReport } from './backend.ts'
import { createEnvironment, type Environment } from './environment.ts'
import { InputError, LimitExceededError, SessionDisposedError } from './errors.ts'
import { checkModule, checkSessionOptions } from './session-checks.ts'
import { constantStorages, writesToConstants } from './graph-traits.ts'
import { bindInputs, parametersOf, type Inputs } from './input-binding.ts'
import { requireMemory } from './input-memory.ts'
import { Machine } from './machine.ts'
import { toPlain, type Plain } from './plain-value.ts'
import { Region, type RegionContext } from './region.ts'
import { restoreObjects } from './restore-objects.ts'
import { copier } from './region-results.ts'
import { replaceTensors, tensorsIn } from './value-tensors.ts'

export interface SessionOptions {
  readonly backend: Backend
  /** Why a backend that was asked for does not serve; told by `explain`. */
  readonly fallback?: string
  /** Threads that kernels may use; 1 when left out. */
  readonly threads?: number
  /** The method to run, `forward` when left out. */
  readonly method?: string
  /** Measures alternatives when planning, and keeps the fastest. */
  readonly tune?: boolean
  /** False: runs the module as it is, and reads its attributes anew at every call. It is frozen when left out. */
  readonly freeze?: boolean
  /** Brings every result back to row-major memory: tells what layouts that stay between kernels are worth. */
  readonly rowMajorActivations?: boolean
  /** Plans to keep, one for each kind of inputs; 16 when left out. */
  readonly plans?: number
  readonly environment?: Environment
}

export interface RunOptions {
  /** Takes the time of every step; `explain` tells it. */
  readonly profile?: boolean
}

/** What ran where, in which layout, and why not elsewhere. */
export interface Explanation {
  readonly backend: string
  readonly fallback?: string
  /** Why the module was not frozen, if it was not. */
  readonly unfrozen?: string
  readonly plans: readonly {
    readonly inputs: string
    readonly steps: readonly StepReport[]
    /** Bytes: of the arena, of all that lies in it one behind the other, the least any plan takes, packed weights. */
    readonly arenaBytes: number
    readonly sumBytes: number
    readonly lowerBound: number
    readonly constantBytes: number
  }[]
  /** Nodes that the interpreter runs between plans. */
  readonly interpreted: readonly { readonly node: string; readonly reason: string }[]
}

/**
 * Makes a method of a module ready to run again and again. The module is frozen; plans are made when inputs of a new
 * kind (dtypes, sizes, content of what is no tensor) are first met.
 *
 * @throws InputError for what is no module, a method or an option that does not exist, or an option that makes no sense
 */
export function createSession(module: ScriptObject, options: SessionOptions): Session {
  checkModule(module)
  checkSessionOptions(options)
  return new Session(module, options)
}

export class Session {
  readonly #object: ScriptObject
  readonly #method: string
  readonly #region: Region
  readonly #context: RegionContext
  readonly #environment: Environment
  readonly #options: SessionOptions
  readonly #unfrozen: string | undefined
  readonly #constants: ReadonlySet<Storage>
  #tail: Promise<unknown> = Promise.resolve()
  #disposed = false

  constructor(module: ScriptObject, options: SessionOptions) {
    this.#options = options
    this.#method = options.method ?? 'forward'
    this.#environment = options.environment ?? createEnvironment()
    const { object, unfrozen } =
      options.freeze === false ? { object: module, unfrozen: 'so asked' } : frozen(module, this.#method)
    this.#object = object
    this.#unfrozen = unfrozen
    const { threads = 1, tune = false, rowMajorActivations = false, plans = 16 } = options
    this.#context = {
      backend: options.backend,
      options: { threads, tune, rowMajorActivations },
      mostPlans: plans,
      profile: false,
      limits: this.#environment.limits,
      warn: (message) => this.#environment.warn(message),
    }
    const graph = inlinedGraph(this.#function())
    this.#region = new Region(graph, this.#context)
    this.#constants = writesToConstants(graph) ? new Set() : constantStorages(graph)
    restoreObjects(this.#object, new Machine(this.#environment))
  }

  #function(): NonNullable<ReturnType<ScriptObject['type']['methods']['get']>> {
    const found = this.#object.type.methods.get(this.#method)
    if (found) return found
    throw new InputError(
      `${this.#object.type.name} has no method '${this.#method}'`,
      {},
      `its methods: ${[...this.#object.type.methods.keys()].join(', ')}`,
    )
  }

  /**
   * Runs the method: inputs in its order, or by name. Calls may overlap; they run one after the other.
   *
   * @returns what the method returns, the elements of a tuple one by one
   * @throws SessionDisposedError; InputError for inputs that do not fit; LimitExceededError and, of a backend, errors of
   * its own where memory is short; what the model raises
   */
  run(inputs: Inputs | readonly unknown[], options: RunOptions = {}): Promise<readonly Plain[]> {
    const result = this.#tail.then(() => this.runSync(inputs, options))
    this.#tail = result.catch(() => undefined)
    return result
  }

  /** As `run`, at once. */
  runSync(inputs: Inputs | readonly unknown[], { profile = false }: RunOptions = {}): readonly Plain[] {
    const value = this.runValues(inputs, profile)
    return value instanceof Tuple ? value.elements.map(toPlain) : [toPlain(value)]
  }

  /** As `runSync`, with the interpreter's own values. */
  runValues(inputs: Inputs | readonly unknown[], profile = false): IValue {
    if (this.#disposed)
      throw new SessionDisposedError(
        'the session was disposed of',
        {},
        'create another one with createSession',
      )
    const bound = bindInputs(this.#function().schema, inputsOf(inputs))
    const names = parametersOf(this.#function().schema).map(({ name }) => name)
    bound.forEach((value, i) => {
      for (const tensor of tensorsIn(value)) requireMemory(tensor, names[i])
    })
    this.#context.profile = profile
    return this.#own(this.#runRegion([this.#object, ...bound.map(strided)]))
  }

  #runRegion(args: readonly IValue[]): IValue {
    try {
      return this.#region.run(args, new Machine(this.#environment))[0] ?? null
    } catch (cause) {
      if (!(cause instanceof RangeError)) throw cause
      throw new LimitExceededError(
        'the run needs more memory or stack than there is',
        {},
        'run it on smaller inputs',
        { cause },
      )
    }
  }

  /** Constants of the model are copied before they are given away: who gets them may write to them. */
  #own(result: IValue): IValue {
    const isConstant = (storage: Storage): boolean => this.#constants.has(storage)
    for (const { storage } of tensorsIn(result))
      if (isConstant(storage)) return replaceTensors(result, copier(isConstant))
    return result
  }

  explain(): Explanation {
    const { backend, fallback } = this.#options
    return {
      backend: backend.description,
      ...(fallback !== undefined && { fallback }),
      ...(this.#unfrozen !== undefined && { unfrozen: this.#unfrozen }),
      plans: [...this.#region.reports()].map(({ signature, plan }) => ({ inputs: signature, ...plan })),
      interpreted: [...this.#region.interpreted()].map(({ node, reason }) => ({ node: node.kind, reason })),
    }
  }

  /** Lets go of plans and their memory; a second call does nothing. */
  dispose(): void {
    if (this.#disposed) return
    this.#disposed = true
    this.#region.dispose()
  }
}

/** A module that cannot be frozen runs as it is. */
function frozen(
  module: ScriptObject,
  method: string,
): { readonly object: ScriptObject; readonly unfrozen: string | undefined } {
  try {
    const preserved = method === 'forward' ? [] : [method]
    return { object: freeze(module, { preserved }).module, unfrozen: undefined }
  } catch (error) {
    if (error instanceof PermafrostError) return { object: module, unfrozen: error.message }
    throw error
  }
}

/** Tensors in blocked layouts are copied. */
function strided(value: IValue): IValue {
  const isStrided = [...tensorsIn(value)].every(({ layout }) => layout === undefined)
  return isStrided ? value : replaceTensors(value, plainTensor)
}

function inputsOf(inputs: Inputs | readonly unknown[]): Inputs {
  const given: unknown = inputs
  if (Array.isArray(given)) return { positional: given }
  if (typeof given === 'object' && given !== null && !(given instanceof Tensor)) return given
  const what = given instanceof Tensor ? 'a tensor' : typeof given === 'string' ? 'a string' : String(given)
  throw new InputError(
    `the inputs are ${what}`,
    { argument: 'inputs' },
    'give a list of them, run([x]), or { positional, named }',
  )
}
