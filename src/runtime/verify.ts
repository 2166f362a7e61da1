import { PermafrostError } from '../errors.ts'
import type { ScriptObject } from '../ir/ivalue.ts'
import { cloneAs } from '../ops/tensor-access.ts'
import { freeze, type FreezeOptions, type FrozenModule } from '../passes/freeze-module.ts'
import { inlinedGraph } from '../passes/preoptimize.ts'
import { methodOf } from '../passes/support/inline-module.ts'
import { contiguousStrides, Tensor } from '../tensor/tensor.ts'
import { compareOutputs, type Comparison, type Tolerance } from './compare.ts'
import { createEnvironment, type Environment } from './environment.ts'
import { findGuiltyRewrite, type FreezeUpTo, type GuiltyRewrite, type Stage } from './guilty-rewrite.ts'
import { bindInputs, type Inputs } from './input-binding.ts'
import { runMethod } from './module-runner.ts'
import { flattenOutputs } from './outputs.ts'
import {
  findFirstDifference,
  recordValues,
  type FirstDifference,
  type Pairing,
  type RecordedValue,
} from './value-record.ts'

export interface VerifyOptions {
  /** `forward` when left out. */
  readonly method?: string
  /** What the method is called with, one call after the other on the same module. */
  readonly samples: readonly Inputs[]
  /** 1e-5 relative to each output's largest element when left out. */
  readonly tolerance?: Tolerance
  /** Makes the environment of each run; all with the same seed when left out. */
  readonly environment?: () => Environment
}

export interface VerifyFreezeOptions extends VerifyOptions {
  readonly freezing?: FreezeOptions
  /** What freezes the module; `freeze` when left out. It must obey `stopAfter` and report its passes. */
  readonly freeze?: (module: ScriptObject, options: FreezeOptions) => FrozenModule
}

export interface VerifyReport {
  readonly equal: boolean
  readonly tolerance: Tolerance
  /** The outputs of each sample. */
  readonly samples: readonly (readonly Comparison[])[]
  /** The rewrite that changed the result, where a model differs from its own frozen form. */
  readonly guilty?: GuiltyRewrite
  /** The first value on the way to the outputs that differs, where one is found. */
  readonly firstDifference?: FirstDifference
}

const defaultTolerance: Tolerance = { rtol: 1e-5, atol: 0 }

/**
 * Proves a freeze: runs a method of a module and of its frozen form on the same inputs. Where they differ, it is frozen
 * again and again up to some pass and rewrite, to find the one that changes the result, and all values of the graphs
 * before and after that rewrite are compared.
 *
 * @param open gives the module anew at each call, in memory of its own: a run may change what it holds
 * @throws what freezing and running the module as it is throw; an error of the frozen form is a difference
 */
export function verifyFreeze(open: () => ScriptObject, options: VerifyFreezeOptions): VerifyReport {
  const { method = 'forward', tolerance = defaultTolerance } = options
  const expected = runSamples(open(), method, options)
  const freezing = { ...options.freezing, preserved: withMethod(options.freezing?.preserved ?? [], method) }
  const frozen: FreezeUpTo = (stopAfter, extra = {}) => {
    const original = open()
    const all = { ...freezing, ...extra, ...(stopAfter && { stopAfter }) }
    return { ...(options.freeze ?? freeze)(original, all), original }
  }
  const compare = (module: ScriptObject): Comparison[][] => compareRuns(expected, module, method, options)
  const whole = frozen()
  const samples = compare(whole.module)
  if (allEqual(samples)) return { equal: true, tolerance, samples }
  const guilty = findGuiltyRewrite(
    method,
    whole.report.passes,
    frozen,
    (module) => !allEqual(compare(module)),
  )
  const pairing: Pairing = { of: 'stages', ...(guilty?.rewrite.value && { except: guilty.rewrite.value }) }
  const firstDifference = guilty
    ? firstDifferenceOf(guilty.before, guilty.after, method, options, pairing)
    : firstDifferenceOf(wholeMethod(open(), method), wholeMethod(whole.module, method), method, options)
  return {
    equal: false,
    tolerance,
    samples,
    ...(guilty && { guilty: guilty.rewrite }),
    ...(firstDifference && { firstDifference }),
  }
}

/**
 * Runs a method of two modules on the same inputs. Where the results differ, the values on the way to them are
 * compared as far as the two graphs tell that they are the same.
 *
 * @param openFirst, openSecond as `open` of `verifyFreeze`
 * @throws what running the first throws; an error of the second is a difference
 */
export function verifyModules(
  openFirst: () => ScriptObject,
  openSecond: () => ScriptObject,
  options: VerifyOptions,
): VerifyReport {
  const { method = 'forward', tolerance = defaultTolerance } = options
  const samples = compareRuns(runSamples(openFirst(), method, options), openSecond(), method, options)
  if (allEqual(samples)) return { equal: true, tolerance, samples }
  const [first, second] = [openFirst(), openSecond()].map((module) => wholeMethod(module, method)) as [
    Stage,
    Stage,
  ]
  const firstDifference = firstDifferenceOf(first, second, method, options)
  return { equal: false, tolerance, samples, ...(firstDifference && { firstDifference }) }
}

type Outputs = ReadonlyMap<string, Tensor>

function withMethod(preserved: readonly string[], method: string): readonly string[] {
  return method === 'forward' || preserved.includes(method) ? preserved : [...preserved, method]
}

function allEqual(samples: readonly (readonly Comparison[])[]): boolean {
  return samples.every((outputs) => outputs.every(({ equal }) => equal))
}

function runSamples(module: ScriptObject, method: string, options: VerifyOptions): Outputs[] {
  return options.samples.map((inputs) => runSample(module, method, inputs, options))
}

/** The outputs as they were when the call ended: later calls may write them. */
function runSample(module: ScriptObject, method: string, inputs: Inputs, options: VerifyOptions): Outputs {
  const environment = options.environment?.() ?? createEnvironment()
  const outputs = flattenOutputs(runMethod(module, method, copyInputs(inputs), environment))
  return new Map([...outputs].map(([name, tensor]) => [name, copyOf(tensor)]))
}

/** A model may write its inputs. */
function copyInputs({ positional = [], named = {} }: Inputs): Inputs {
  return {
    positional: positional.map(copyTensors),
    named: Object.fromEntries(Object.entries(named).map(([name, value]) => [name, copyTensors(value)])),
  }
}

function copyTensors(value: unknown): unknown {
  if (value instanceof Tensor) return copyOf(value)
  return Array.isArray(value) ? value.map(copyTensors) : value
}

function copyOf(tensor: Tensor): Tensor {
  return cloneAs(tensor, tensor.dtype, contiguousStrides(tensor.sizes))
}

function compareRuns(
  expected: readonly Outputs[],
  module: ScriptObject,
  method: string,
  options: VerifyOptions,
): Comparison[][] {
  const samples: Comparison[][] = []
  for (const [i, outputs] of expected.entries()) {
    const inputs = options.samples[i] ?? {}
    try {
      const found = runSample(module, method, inputs, options)
      samples.push(compareOutputs(outputs, found, options.tolerance ?? defaultTolerance))
    } catch (error) {
      if (!(error instanceof PermafrostError)) throw error
      return [...samples, [failure(error)]]
    }
  }
  return samples
}

function failure(error: PermafrostError): Comparison {
  const reason = `the second fails: ${error.name}: ${error.message}`
  return { name: 'output', equal: false, reason, maxAbsolute: Infinity, maxRelative: Infinity, nonFinite: 0 }
}

function firstDifferenceOf(
  first: Stage,
  second: Stage,
  method: string,
  options: VerifyOptions,
  pairing: Pairing = { of: 'models' },
): FirstDifference | undefined {
  const left = options.samples.map((inputs) => record(first, method, inputs, options))
  const right = options.samples.map((inputs) => record(second, method, inputs, options))
  const tolerance = options.tolerance ?? defaultTolerance
  for (const [i, values] of left.entries()) {
    const found = findFirstDifference(values, right[i] ?? [], tolerance, pairing)
    if (found) return found
  }
  return undefined
}

function wholeMethod(module: ScriptObject, method: string): Stage {
  return { graph: inlinedGraph(methodOf(module, method)), self: module }
}

/** The values until the method ends, or until it fails. */
function record(
  { graph, self }: Stage,
  method: string,
  inputs: Inputs,
  options: VerifyOptions,
): readonly RecordedValue[] {
  const args = bindInputs(methodOf(self, method).schema, copyInputs(inputs))
  return recordValues(graph, self, args, options.environment?.() ?? createEnvironment())
}
