import type { EltwiseAlgorithm } from './binding/dnnl.ts'
import type { CallArguments } from './call-arguments.ts'

/** A function of each element as the library knows it: one or more in a row. */
export interface Eltwise {
  readonly algorithm: EltwiseAlgorithm
  readonly alpha: number
  readonly beta: number
}

const simple = (algorithm: EltwiseAlgorithm, alpha = 0, beta = 0): Eltwise[] => [{ algorithm, alpha, beta }]

/** Those that are no calls of `pow` for every element. */
const powers: ReadonlyMap<number, Eltwise[]> = new Map([
  [-1, simple('pow', 1, -1)],
  [0.5, simple('sqrt')],
  [1, simple('linear', 1, 0)],
  [2, simple('square')],
])

// Klambauer et al. 2017, Self-normalizing neural networks.
const seluAlpha = 1.6732632423543772
const seluScale = 1.0507009873554805

/** Beyond 15 a sum of 1 and an exponential is the exponential, in float32. */
function isSoftRelu(args: CallArguments): boolean {
  return args.number('beta') === 1 && (args.number('threshold') ?? 0) >= 15
}

type EltwiseRule = (args: CallArguments) => Eltwise[] | undefined

const clamp: EltwiseRule = (args) => {
  const [low, high] = [args.number('min'), args.number('max')]
  if (args.tensor('min') || args.tensor('max')) return undefined
  return simple('clip', low ?? -Infinity, high ?? Infinity)
}

const rules: Readonly<Record<string, EltwiseRule>> = {
  'aten::relu': () => simple('relu'),
  'aten::relu6': () => simple('clip', 0, 6),
  'aten::hardtanh': (args) => simple('clip', args.number('min_val') ?? -1, args.number('max_val') ?? 1),
  'aten::clamp': clamp,
  'aten::clip': clamp,
  'aten::clamp_min': (args) => simple('clip', args.number('min') ?? -Infinity, Infinity),
  'aten::clamp_max': (args) => simple('clip', -Infinity, args.number('max') ?? Infinity),
  'aten::prelu': (args) => {
    const slope = args.onlyElement('weight')
    return slope === undefined ? undefined : simple('relu', slope)
  },
  'aten::leaky_relu': (args) => simple('relu', args.number('negative_slope') ?? 0.01),
  'aten::hardswish': () => simple('hardswish'),
  'aten::hardsigmoid': () => [...simple('linear', 1 / 6, 0.5), ...simple('clip', 0, 1)],
  'aten::silu': () => simple('swish', 1),
  'aten::sigmoid': () => simple('logistic'),
  'aten::tanh': () => simple('tanh'),
  'aten::gelu': (args) => simple(args.text('approximate') === 'tanh' ? 'gelu_tanh' : 'gelu_erf'),
  'aten::mish': () => simple('mish'),
  'aten::exp': () => simple('exp'),
  'aten::abs': () => simple('abs'),
  'aten::sqrt': () => simple('sqrt'),
  'aten::square': () => simple('square'),
  'aten::pow': (args) => powers.get(args.number('exponent') ?? NaN),
  'aten::reciprocal': () => powers.get(-1),
  'aten::rsqrt': () => [...simple('sqrt'), ...simple('pow', 1, -1)],
  'aten::log': () => simple('log'),
  'aten::softplus': (args) => (isSoftRelu(args) ? simple('soft_relu') : undefined),
  'aten::log_sigmoid': () => [...simple('linear', -1, 0), ...simple('soft_relu'), ...simple('linear', -1, 0)],
  'aten::selu': () => [...simple('elu', seluAlpha), ...simple('linear', seluScale, 0)],
  'aten::neg': () => simple('linear', -1, 0),
  'aten::elu': (args) =>
    args.number('scale') === 1 && args.number('input_scale') === 1
      ? simple('elu', args.number('alpha') ?? 1)
      : undefined,
  'aten::add': (args) => affine(args, (other, alpha) => [1, other * alpha]),
  'aten::sub': (args) => affine(args, (other, alpha) => [1, -other * alpha]),
  'aten::mul': (args) => affine(args, (other) => [other, 0]),
  'aten::div': (args) => (args.has('rounding_mode') ? undefined : affine(args, (other) => [1 / other, 0])),
}

/** Arithmetic with a number. */
function affine(
  args: CallArguments,
  coefficients: (other: number, alpha: number) => readonly [number, number],
): Eltwise[] | undefined {
  const other = args.number('other')
  if (other === undefined || args.tensor('other')) return undefined
  const [scale, shift] = coefficients(other, args.number('alpha') ?? 1)
  return simple('linear', scale, shift)
}

/** The library's functions for a node of one tensor, undefined for any other node. */
export function eltwiseOf(args: CallArguments): readonly Eltwise[] | undefined {
  return rules[args.node.kind]?.(args)
}
