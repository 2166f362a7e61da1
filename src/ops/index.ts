import { dict } from './dict.ts'
import { generic } from './generic.ts'
import { list } from './list.ts'
import { listReduction } from './list-reduction.ts'
import { scalarArithmetic } from './scalar-arithmetic.ts'
import { scalarComparison } from './scalar-comparison.ts'
import { scalarConversion } from './scalar-conversion.ts'
import { scalarLogic } from './scalar-logic.ts'
import { scalarMath } from './scalar-math.ts'
import { string } from './string.ts'
import { stringFormat } from './string-format.ts'
import { tensorProperties } from './tensor-properties.ts'
import { valueTensor } from './value-tensor.ts'
import { arithmeticOperators } from './arithmetic.ts'
import { binaryMathOperators } from './binary-math.ts'
import { divisionOperators } from './division.ts'
import { powerOperators } from './power.ts'
import { clampOperators } from './clamp.ts'
import { comparisonOperators } from './comparison.ts'
import { logicalTensorOperators } from './logical.ts'
import { unaryMathOperators } from './unary-math.ts'
import { copyingOperators } from './copying.ts'
import { expandingOperators } from './expanding.ts'
import { permutingOperators } from './permuting.ts'
import { reshapingOperators } from './reshaping.ts'
import { slicingOperators } from './slicing.ts'
import { splittingOperators } from './splitting.ts'
import { convolutionOperators } from './convolution.ts'
import { advancedIndexOperators } from './advanced-index.ts'
import { creationOperators } from './creation.ts'
import { joiningOperators } from './joining.ts'
import { nonzeroOperators } from './nonzero.ts'
import { layoutOperators } from './layout-reorder.ts'
import { linearOperators } from './linear.ts'
import { matmulOperators } from './matmul.ts'
import { einsumOperators } from './einsum.ts'
import { gatheringOperators } from './gathering.ts'
import { maskingOperators } from './masking.ts'
import { rearrangingOperators } from './rearranging.ts'
import { activationOperators } from './activation.ts'
import { gatedActivationOperators } from './gated-activation.ts'
import { softmaxOperators } from './softmax.ts'
import { dropoutOperators } from './dropout.ts'
import { sumOperators } from './sums.ts'
import { extremeTensorOperators } from './extremes.ts'
import { spreadTensorOperators } from './spread.ts'
import { scanOperators } from './scans.ts'
import { sortingOperators } from './sorting.ts'
import { uniquenessOperators } from './uniqueness.ts'
import { batchNormOperators } from './batch-norm.ts'
import { instanceNormOperators } from './instance-norm.ts'
import { layerNormOperators } from './layer-norm.ts'
import { randomOperators } from './random.ts'
import { poolingOperators } from './pooling.ts'
import { adaptivePoolingOperators } from './adaptive-pooling.ts'
import { interpolationOperators } from './interpolation.ts'
import { nonMaximumSuppressionOperators } from './non-maximum-suppression.ts'
import { packedSequenceOperators } from './packed-sequence.ts'
import { recurrentOperators } from './recurrent-layers.ts'
import { lossOperators } from './losses.ts'
import { classLossOperators } from './class-losses.ts'
import { embeddingBagOperators } from './embedding-bag.ts'
import { encoderLayerOperators } from './encoder-layer.ts'
import { roiAlignOperators } from './roi-align.ts'
import { paddingOperators } from './padding.ts'
import { embeddingOperators } from './embedding.ts'
import { shufflingOperators } from './shuffling.ts'
import { unfoldingOperators } from './unfolding.ts'
import { gridSamplingOperators } from './grid-sampling.ts'
import { attentionOperators } from './attention.ts'
import { similarityOperators } from './similarity.ts'
import { weightNormOperators } from './weight-norm.ts'
import { oneHotOperators } from './one-hot.ts'
import { rmsNormOperators } from './rms-norm.ts'
import { searchingOperators } from './searching.ts'
import { distanceOperators } from './distances.ts'
import { crossProductOperators } from './cross-product.ts'
import { triangleIndexOperators } from './triangle-indices.ts'
import { differenceOperators } from './differences.ts'
import { viewScatteringOperators } from './view-scattering.ts'
import { specialUnaryMathOperators } from './special-unary-math.ts'
import { specialBinaryMathOperators } from './special-binary-math.ts'
import { unpoolingOperators } from './unpooling.ts'
import { quantileOperators } from './quantiles.ts'
import { histogramOperators } from './histogram.ts'
import { renormOperators } from './renorm.ts'
import { linearSystemOperators } from './linear-systems.ts'
import { matrixCompositionOperators } from './matrix-composition.ts'
import { combinationOperators } from './combinations.ts'
import { matrixNormOperators } from './matrix-norms.ts'
import type { Operator } from './operator.ts'

/** Every operator family, in one explicit list: a new family adds one line. */
export const families: readonly (readonly Operator[])[] = [
  matrixNormOperators,
  combinationOperators,
  matrixCompositionOperators,
  linearSystemOperators,
  renormOperators,
  histogramOperators,
  quantileOperators,
  unpoolingOperators,
  specialBinaryMathOperators,
  specialUnaryMathOperators,
  viewScatteringOperators,
  differenceOperators,
  triangleIndexOperators,
  crossProductOperators,
  distanceOperators,
  searchingOperators,
  rmsNormOperators,
  oneHotOperators,
  weightNormOperators,
  encoderLayerOperators,
  embeddingBagOperators,
  lossOperators,
  classLossOperators,
  similarityOperators,
  attentionOperators,
  packedSequenceOperators,
  recurrentOperators,
  gridSamplingOperators,
  unfoldingOperators,
  shufflingOperators,
  embeddingOperators,
  paddingOperators,
  nonMaximumSuppressionOperators,
  roiAlignOperators,
  interpolationOperators,
  adaptivePoolingOperators,
  poolingOperators,
  randomOperators,
  layerNormOperators,
  instanceNormOperators,
  batchNormOperators,
  uniquenessOperators,
  sortingOperators,
  scanOperators,
  spreadTensorOperators,
  extremeTensorOperators,
  sumOperators,
  dropoutOperators,
  softmaxOperators,
  gatedActivationOperators,
  activationOperators,
  rearrangingOperators,
  maskingOperators,
  gatheringOperators,
  einsumOperators,
  matmulOperators,
  layoutOperators,
  linearOperators,
  nonzeroOperators,
  joiningOperators,
  creationOperators,
  advancedIndexOperators,
  convolutionOperators,
  splittingOperators,
  slicingOperators,
  reshapingOperators,
  permutingOperators,
  expandingOperators,
  copyingOperators,
  unaryMathOperators,
  logicalTensorOperators,
  comparisonOperators,
  clampOperators,
  powerOperators,
  divisionOperators,
  binaryMathOperators,
  arithmeticOperators,
  dict,
  generic,
  list,
  listReduction,
  scalarArithmetic,
  scalarComparison,
  scalarConversion,
  scalarLogic,
  scalarMath,
  string,
  stringFormat,
  tensorProperties,
  valueTensor,
]

const byKey = new Map<string, Operator>(families.flat().map((operator) => [operator.key, operator]))

/** The operator with a kernel that is named `aten::add.Tensor`, if we have it. */
export function findOperator(key: string): Operator | undefined {
  return byKey.get(key)
}

export function allOperators(): Iterable<Operator> {
  return byKey.values()
}
