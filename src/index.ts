/** Opens TorchScript models, freezes them, runs them and writes them again: the whole public surface. */
export { PermafrostError, type Place } from './errors.ts'

export { dtypes, type DType, type TypedArray } from './tensor/dtype.ts'
export { Storage } from './tensor/storage.ts'
export { Tensor, type TensorOptions } from './tensor/tensor.ts'
export { BlockedLayout, OpaqueLayout, parseLayout, type Layout } from './tensor/layout.ts'
export { convertLayout, plainTensor } from './tensor/convert-layout.ts'
export { readNpy, writeNpy } from './tensor/npy.ts'
export { readNpz, writeNpz } from './archive/npz.ts'

export { loadBytes, saveBytes } from './load.ts'
export type { ScriptModule } from './script/load-module.ts'
export { saveModule } from './script/save-module.ts'
export { readArchive, type Archive } from './archive/archive.ts'

export { Block, Graph, Node, Value, type Use } from './ir/graph.ts'
export { GraphEditor } from './ir/graph-editor.ts'
export { GraphFunction } from './ir/graph-function.ts'
export { ClassType } from './ir/class-type.ts'
export { Device, Dict, Double, List, ScriptObject, Tuple, type IValue } from './ir/ivalue.ts'
export type { Type } from './ir/types.ts'
export { runMethod } from './runtime/module-runner.ts'
export { toPlain, type Plain } from './runtime/plain-value.ts'
export { createEnvironment, type Environment } from './runtime/environment.ts'
export type { Inputs } from './runtime/input-binding.ts'

export { printGraph } from './ir/graph-printer.ts'
export { parseGraph } from './ir/graph-parser.ts'
export { verifyGraph } from './ir/verifier.ts'

export { allPasses, findPass } from './passes/all-passes.ts'
export { pipelines } from './passes/pipelines.ts'
export { runPasses, type PassOptions, type PassStats } from './passes/pass-manager.ts'
export { definePass, repeatPasses, type Pass, type PassContext, type PipelineStep } from './passes/pass.ts'
export {
  eliminatePartialRedundancy,
  eliminatePartialRedundancyOf,
} from './passes/eliminate-partial-redundancy.ts'
export { insertReorders } from './passes/insert-reorders.ts'
export { propagateLayouts } from './passes/propagate-layouts.ts'
export type { LayoutPreference, LayoutTarget } from './passes/layout-target.ts'
export { blockedTarget } from './passes/support/blocked-target.ts'
export { inlinedGraph } from './passes/preoptimize.ts'
export { freeze, type FreezeOptions } from './passes/freeze-module.ts'
export {
  optimizeForInference,
  runFrozenOptimizations,
  type FrozenOptimizationOptions,
} from './passes/frozen-optimizations.ts'
export { freezeParams } from './passes/freeze-params.ts'
export { freezeFlags } from './passes/freeze-flags.ts'
export { freezeByName, type FreezeByNameOptions } from './passes/freeze-by-name.ts'
export {
  formatFreezeReport,
  formatFreezeReportAsMarkdown,
  type FreezeEntry,
  type FreezePass,
  type FreezeReport,
  type FreezeTotals,
} from './passes/freeze-report.ts'

export { createSession, type Explanation, type Session, type SessionOptions } from './runtime/session.ts'
export type { Backend, Plan, PlanReport, StepReport } from './runtime/backend.ts'
export { specialise, type SpecialisedGraph } from './runtime/specialise.ts'
export { createReferenceBackend } from './backends/reference/reference-backend.ts'

export {
  verifyFreeze,
  verifyModules,
  type VerifyFreezeOptions,
  type VerifyOptions,
  type VerifyReport,
} from './runtime/verify.ts'
export { findSampleInputs, type SampleInputs, type SampleOptions } from './runtime/sample-inputs.ts'
