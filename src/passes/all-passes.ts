import { annotateWarnsPass } from './annotate-warns.ts'
import { batchNormToAffine } from './batch-norm-to-affine.ts'
import { canonicalizeOutputsPass } from './canonicalize-outputs.ts'
import { concatLinears } from './concat-linears.ts'
import { constantPoolingPass } from './constant-pooling.ts'
import { constantPropagationImmutableTypes } from './constant-propagation-immutable-types.ts'
import { constantPropagation } from './constant-propagation.ts'
import { eliminateCommonSubexpressionsPass } from './eliminate-common-subexpressions.ts'
import { eliminateDeadCodePass } from './eliminate-dead-code.ts'
import { eliminateNoOpsPass } from './eliminate-no-ops.ts'
import { eliminatePartialRedundancyPass } from './eliminate-partial-redundancy.ts'
import { UnknownPassError } from './errors.ts'
import { foldConvBatchNorm } from './fold-conv-batch-norm.ts'
import { foldBatchNormConv } from './fold-batch-norm-conv.ts'
import { foldConvAddOrSub } from './fold-conv-add-or-sub.ts'
import { foldConvMulOrDiv } from './fold-conv-mul-or-div.ts'
import { foldLinearAddOrSub } from './fold-linear-add-or-sub.ts'
import { foldLinearBatchNorm } from './fold-linear-batch-norm.ts'
import { foldLinearMulOrDiv } from './fold-linear-mul-or-div.ts'
import { inline } from './inline.ts'
import { insertReordersPass } from './insert-reorders.ts'
import { lowerSimpleTuplesPass } from './lower-simple-tuples.ts'
import { normalizeOpsPass } from './normalize-ops.ts'
import type { Pass } from './pass.ts'
import { combineConcats } from './combine-concats.ts'
import { peephole } from './peephole.ts'
import { propagateLayoutsPass } from './propagate-layouts.ts'
import { removeDropoutPass } from './remove-dropout.ts'
import { simplifyListsPass } from './simplify-lists.ts'
import { transposeFrozenLinears } from './transpose-frozen-linears.ts'
import { unrollLoopsPass } from './unroll-loops.ts'

/** Every pass that needs nothing but a graph; a new pass adds one line. */
export const allPasses: readonly Pass[] = [
  annotateWarnsPass,
  batchNormToAffine,
  canonicalizeOutputsPass,
  concatLinears,
  constantPoolingPass,
  constantPropagation,
  constantPropagationImmutableTypes,
  eliminateCommonSubexpressionsPass,
  eliminateDeadCodePass,
  eliminateNoOpsPass,
  eliminatePartialRedundancyPass,
  foldBatchNormConv,
  foldConvAddOrSub,
  foldConvBatchNorm,
  foldConvMulOrDiv,
  foldLinearAddOrSub,
  foldLinearBatchNorm,
  foldLinearMulOrDiv,
  inline,
  insertReordersPass,
  lowerSimpleTuplesPass,
  normalizeOpsPass,
  combineConcats,
  peephole,
  propagateLayoutsPass,
  removeDropoutPass,
  simplifyListsPass,
  transposeFrozenLinears,
  unrollLoopsPass,
]

/** Passes that need the module besides the graph; `freeze` and its kin run them. */
export const modulePasses = ['freeze-flags', 'freeze-module', 'freeze-params'] as const

/** @throws UnknownPassError */
export function findPass(name: string): Pass {
  const pass = allPasses.find((known) => known.name === name)
  if (pass) return pass
  throw new UnknownPassError(
    `no pass is called '${name}'`,
    {},
    `there are ${allPasses.map((known) => known.name).join(', ')}`,
  )
}
