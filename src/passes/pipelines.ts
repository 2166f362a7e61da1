import { canonicalizeOutputsPass } from './canonicalize-outputs.ts'
import { constantPoolingPass } from './constant-pooling.ts'
import { constantPropagation } from './constant-propagation.ts'
import { eliminateCommonSubexpressionsPass } from './eliminate-common-subexpressions.ts'
import { eliminateDeadCodePass } from './eliminate-dead-code.ts'
import { eliminateNoOpsPass } from './eliminate-no-ops.ts'
import { foldConvBatchNorm } from './fold-conv-batch-norm.ts'
import { inline } from './inline.ts'
import { lowerSimpleTuplesPass } from './lower-simple-tuples.ts'
import type { Pass } from './pass.ts'
import { peephole } from './peephole.ts'
import { removeDropoutPass } from './remove-dropout.ts'

/** What follows the freezing of attributes; keeps every bit of the results. */
export const frozenPipeline: readonly Pass[] = [
  eliminateDeadCodePass,
  eliminateCommonSubexpressionsPass,
  peephole,
  constantPropagation,
  constantPoolingPass,
  eliminateCommonSubexpressionsPass,
  eliminateNoOpsPass,
  lowerSimpleTuplesPass,
  removeDropoutPass,
  eliminateDeadCodePass,
]

/** Passes that change results in the last bits. */
export const numericsPipeline: readonly Pass[] = [foldConvBatchNorm]

/** Tidies any graph. */
const simplifyPipeline: readonly Pass[] = [inline, ...frozenPipeline, canonicalizeOutputsPass]

/** Named lists of passes. */
export const pipelines: Readonly<Record<string, readonly Pass[]>> = {
  frozen: frozenPipeline,
  numerics: numericsPipeline,
  simplify: simplifyPipeline,
}
