import { batchNormToAffine } from './batch-norm-to-affine.ts'
import { canonicalizeOutputsPass } from './canonicalize-outputs.ts'
import { concatLinears } from './concat-linears.ts'
import { constantPoolingPass } from './constant-pooling.ts'
import { constantPropagation } from './constant-propagation.ts'
import { eliminateCommonSubexpressionsPass } from './eliminate-common-subexpressions.ts'
import { eliminateDeadCodePass } from './eliminate-dead-code.ts'
import { eliminateNoOpsPass } from './eliminate-no-ops.ts'
import { eliminatePartialRedundancyPass } from './eliminate-partial-redundancy.ts'
import { foldBatchNormConv } from './fold-batch-norm-conv.ts'
import { foldConvAddOrSub } from './fold-conv-add-or-sub.ts'
import { foldConvBatchNorm } from './fold-conv-batch-norm.ts'
import { foldConvMulOrDiv } from './fold-conv-mul-or-div.ts'
import { foldLinearAddOrSub } from './fold-linear-add-or-sub.ts'
import { foldLinearBatchNorm } from './fold-linear-batch-norm.ts'
import { foldLinearMulOrDiv } from './fold-linear-mul-or-div.ts'
import { inline } from './inline.ts'
import { insertReordersPass } from './insert-reorders.ts'
import { lowerSimpleTuplesPass } from './lower-simple-tuples.ts'
import { repeatPasses, type Pass, type PipelineStep } from './pass.ts'
import { peephole } from './peephole.ts'
import { propagateLayoutsPass } from './propagate-layouts.ts'
import { removeDropoutPass } from './remove-dropout.ts'
import { simplifyListsPass } from './simplify-lists.ts'
import { transposeFrozenLinears } from './transpose-frozen-linears.ts'
import { unrollLoopsPass } from './unroll-loops.ts'

/** What follows the freezing of attributes; keeps every bit of the results. */
export const frozenPipeline: readonly Pass[] = [
  eliminateDeadCodePass,
  eliminateCommonSubexpressionsPass,
  peephole,
  constantPropagation,
  constantPoolingPass,
  unrollLoopsPass,
  simplifyListsPass,
  lowerSimpleTuplesPass,
  peephole,
  constantPropagation,
  constantPoolingPass,
  eliminateCommonSubexpressionsPass,
  eliminateNoOpsPass,
  lowerSimpleTuplesPass,
  removeDropoutPass,
  eliminateDeadCodePass,
]

/**
 * Passes that change results in the last bits; what one folds lets the next fold more (`OptimizeFrozenGraph`,
 * torch/csrc/jit/passes/frozen_graph_optimizations.cpp).
 */
export const numericsPipeline: readonly PipelineStep[] = [
  repeatPasses([
    foldConvBatchNorm,
    foldConvAddOrSub,
    foldConvMulOrDiv,
    foldLinearBatchNorm,
    foldLinearAddOrSub,
    foldLinearMulOrDiv,
    foldBatchNormConv,
  ]),
]

/**
 * What makes a frozen graph faster but not smaller, and changes the last bits: besides freezing, for those who only run
 * the model (`optimize_for_inference`, torch/csrc/jit/api/module.cpp).
 */
export const inferencePipeline: readonly PipelineStep[] = [
  concatLinears,
  batchNormToAffine,
  transposeFrozenLinears,
  constantPoolingPass,
  eliminateDeadCodePass,
]

/** Tidies any graph. */
const simplifyPipeline: readonly Pass[] = [inline, ...frozenPipeline, canonicalizeOutputsPass]

/** Shows what a backend with blocked layouts does, and leaves no more reorders than it must (docs/layouts.md). */
export const layoutPipeline: readonly PipelineStep[] = layoutPipelineFor(
  insertReordersPass,
  propagateLayoutsPass,
)

/** The same with the passes of another target. */
export function layoutPipelineFor(insert: Pass, propagate: Pass): readonly PipelineStep[] {
  return [
    insert,
    constantPropagation,
    propagate,
    constantPropagation,
    eliminateCommonSubexpressionsPass,
    eliminatePartialRedundancyPass,
    eliminateDeadCodePass,
  ]
}

/** Named lists of passes. */
export const pipelines: Readonly<Record<string, readonly PipelineStep[]>> = {
  frozen: frozenPipeline,
  inference: inferencePipeline,
  layouts: layoutPipeline,
  numerics: numericsPipeline,
  simplify: simplifyPipeline,
}
