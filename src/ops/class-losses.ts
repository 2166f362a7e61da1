import type { Tensor } from '../tensor/tensor.ts'
import { sizesText } from './convolution-geometry.ts'
import { OperatorArgumentError } from './errors.ts'
import { floatsOf, fromKernel, kernelDType, requireFloating, requireSameDType } from './float-compute.ts'
import { defineOp, type Operator } from './operator.ts'
import { scratchDoubles } from './scratch.ts'
import { logSoftmax } from './softmax.ts'
import { allocate, floatData, numberData } from './tensor-access.ts'

interface ClassLossOptions {
  readonly weight: Tensor | null
  /** `at::Reduction`: 0 none, 1 mean, 2 sum. */
  readonly reduction: number
  readonly ignore_index: number
  /** The share of the target that is spread over all classes. */
  readonly label_smoothing: number
}

/** Samples around the dimension of classes. */
interface Layout {
  readonly classes: number
  /** Samples behind the classes: element (n, class, i) lies at (n · classes + class) · inner + i. */
  readonly inner: number
  readonly samples: number
  /** The sizes without the classes. */
  readonly sizes: readonly number[]
}

function layoutOf(self: Tensor): Layout {
  if (self.dim < 1) throw new OperatorArgumentError('a loss over classes needs at least one dimension')
  const axis = self.dim === 1 ? 0 : 1
  const sizes = self.sizes.toSpliced(axis, 1)
  const inner = self.sizes.slice(axis + 1).reduce((n, size) => n * size, 1)
  return { classes: self.sizes[axis]!, inner, sizes, samples: sizes.reduce((n, size) => n * size, 1) }
}

function weightsOf(self: Tensor, weight: Tensor | null, classes: number): ArrayLike<number> {
  if (weight === null) return scratchDoubles(classes).fill(1)
  requireSameDType(self, { weight })
  if (weight.dim !== 1 || weight.numel !== classes)
    throw new OperatorArgumentError(
      `weight tensor should be defined either for all ${classes} classes or no classes ` +
        `but got weight tensor of shape: ${sizesText(weight.sizes)}`,
      { argument: 'weight' },
    )
  return floatData(weight)
}

/**
 * -log probability of each sample's class (batch × classes × …, or classes alone), ignored samples counting for
 * nothing; a mean is by weight.
 *
 * @throws OperatorArgumentError when target and weight do not fit, or for a class that there is not
 */
function classLoss(self: Tensor, target: Tensor, options: ClassLossOptions): Tensor {
  const { reduction, ignore_index: ignored, label_smoothing: smoothing } = options
  const layout = layoutOf(self)
  checkTarget(self, target, layout)
  const weights = weightsOf(self, options.weight, layout.classes)
  const data = floatData(self)
  const losses = scratchDoubles(layout.samples)
  let total = 0
  numberData(target).forEach((wanted, sample) => {
    if (wanted === ignored) return
    if (wanted < 0 || wanted >= layout.classes)
      throw new OperatorArgumentError(`target ${wanted} is out of bounds for ${layout.classes} classes`, {
        argument: 'target',
      })
    const i = sample % layout.inner
    const first = (sample - i) * layout.classes + i
    let loss = -(1 - smoothing) * weights[wanted]! * data[first + wanted * layout.inner]!
    if (smoothing > 0)
      for (let c = 0; c < layout.classes; c++)
        loss -= (smoothing / layout.classes) * weights[c]! * data[first + c * layout.inner]!
    losses[sample] = loss
    total += weights[wanted]!
  })
  return reducedBy(self, losses, layout, reduction, total)
}

function checkTarget(self: Tensor, target: Tensor, { sizes }: Layout): void {
  if (target.dtype !== 'int64')
    throw new OperatorArgumentError(`expected targets of dtype int64, but got ${target.dtype}`, {
      argument: 'target',
    })
  if (target.sizes.join() !== sizes.join())
    throw new OperatorArgumentError(
      `expected target size ${sizesText(sizes)} for input of size ${sizesText(self.sizes)}, got ${sizesText(target.sizes)}`,
      { argument: 'target' },
    )
}

function reducedBy(
  self: Tensor,
  losses: Float64Array,
  layout: Layout,
  reduction: number,
  total: number,
): Tensor {
  const result = allocate(kernelDType(self.dtype), reduction === 0 ? layout.sizes : [])
  if (reduction === 0) floatsOf(result).set(losses)
  else {
    const sum = losses.reduce((a, b) => a + b, 0)
    floatsOf(result)[0] = reduction === 1 ? sum / total : sum
  }
  return fromKernel(result, self.dtype)
}

/** The loss against probabilities of all classes. */
function probabilityLoss(self: Tensor, target: Tensor, options: ClassLossOptions): Tensor {
  requireSameDType(self, { target })
  const layout = layoutOf(self)
  const { classes, inner } = layout
  const weights = weightsOf(self, options.weight, classes)
  const data = floatData(self)
  const wanted = floatData(target)
  const losses = scratchDoubles(layout.samples)
  for (let at = 0; at < data.length; at++) {
    const c = Math.floor(at / inner) % classes
    const share = wanted[at]! * (1 - options.label_smoothing) + options.label_smoothing / classes
    const sample = Math.floor(at / (inner * classes)) * inner + (at % inner)
    losses[sample]! -= weights[c]! * share * data[at]!
  }
  return reducedBy(self, losses, layout, options.reduction, layout.samples)
}

/** Softmax over the classes, and the loss of what it gives to the target: classes, or probabilities of all classes. */
function crossEntropyLoss(self: Tensor, target: Tensor, options: ClassLossOptions): Tensor {
  requireFloating(self, 'cross_entropy_loss')
  const { label_smoothing: smoothing } = options
  if (!(smoothing >= 0 && smoothing <= 1))
    throw new OperatorArgumentError(`label_smoothing must be between 0.0 and 1.0, but got ${smoothing}`, {
      argument: 'label_smoothing',
    })
  const logarithms = logSoftmax(self, self.dim === 1 ? 0 : 1)
  return self.sizes.join() === target.sizes.join()
    ? probabilityLoss(logarithms, target, options)
    : classLoss(logarithms, target, options)
}

interface ClassArguments extends Omit<ClassLossOptions, 'label_smoothing'> {
  readonly self: Tensor
  readonly target: Tensor
}

/** `dims` bounds the rank of the input, where an operator is of some ranks only. */
function negativeLogLikelihood(name: string, dims: readonly [number, number]): Operator {
  return defineOp(
    `aten::${name}(Tensor self, Tensor target, Tensor? weight=None, int reduction=1, int ignore_index=-100) -> Tensor`,
    {
      reference: (args: ClassArguments) => {
        requireFloating(args.self, name)
        if (args.self.dim < dims[0] || args.self.dim > dims[1])
          throw new OperatorArgumentError(
            `${name}: input of ${args.self.dim} dimensions, expected ${dims[0]}${dims[1] === dims[0] ? '' : ` to ${dims[1]}`}`,
            { argument: 'self' },
          )
        return classLoss(args.self, args.target, { ...args, label_smoothing: 0 })
      },
    },
  )
}

export const classLossOperators: readonly Operator[] = [
  negativeLogLikelihood('nll_loss', [1, 2]),
  negativeLogLikelihood('nll_loss2d', [4, 4]),
  negativeLogLikelihood('nll_loss_nd', [1, Infinity]),
  defineOp(
    'aten::cross_entropy_loss(Tensor self, Tensor target, Tensor? weight=None, int reduction=1, int ignore_index=-100, float label_smoothing=0.) -> Tensor',
    { reference: (args) => crossEntropyLoss(args.self, args.target, args) },
  ),
]
