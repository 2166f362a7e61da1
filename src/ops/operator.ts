import type { Node } from '../ir/graph.ts'
import type { IValue, ScriptObject } from '../ir/ivalue.ts'
import { parseSchema } from '../ir/schema-parser.ts'
import { schemaKey, type FunctionSchema } from '../ir/schema.ts'
import { Tensor } from '../tensor/tensor.ts'
import { bindArguments, wrapResult } from './calling-convention.ts'
import type { CallOperator } from './decomposition.ts'
import { UnsupportedOperatorError } from './errors.ts'
import { stridedOperand, takesTensors } from './packed-operands.ts'
import type { ArgumentsOf, KernelResult } from './schema-types.ts'

/** What an operator may ask of whoever runs it. */
export interface EvaluationContext {
  warn(message: string): void
  print(text: string): void
  /** Uniform in [0, 1), from the session's seeded generator. */
  random(): number
  /** What `torch.no_grad` switches and `torch.is_grad_enabled` asks; on when left out. Gradients are never made. */
  gradEnabled?: boolean
  /** Calls a method of an object, where whoever runs the operator can: sorting by a class's `__lt__`. */
  callMethod?(object: ScriptObject, method: string, args: readonly IValue[]): IValue
}

/** What passes ask an operator; each operator answers for itself, no pass keeps a list of operators. */
export interface OperatorTraits {
  /** Arguments that freezing by name may take out of the module (DESIGN §6.1 "nodes of interest"). */
  readonly freezable?: readonly string[]
  /**
   * Arguments that are parameters under names of their own, and freezable: `w_ih` is a weight. `by-rank` is for lists
   * of parameters: matrices are weights, vectors are biases.
   */
  readonly parts?: Readonly<Record<string, 'weight' | 'bias' | 'by-rank'>>
  /** Never removed and never evaluated at compile time, besides what the schema's `(a!)` already says. */
  readonly hasSideEffects?: boolean
  /** Two calls with the same inputs may differ (random, uninitialised memory). */
  readonly isNondeterministic?: boolean
  /** Role in folding passes. */
  readonly role?: 'convolution' | 'batch-norm' | 'linear' | 'dropout'
}

/** The operator's legal arguments for property tests, benchmarks and support tables. */
export interface Sample {
  readonly name: string
  readonly args: Readonly<Record<string, unknown>>
}

export interface Operator extends OperatorTraits {
  readonly schema: FunctionSchema
  /** `aten::add.Tensor` */
  readonly key: string
  /** Runs the reference kernel on interpreter values, one per schema argument; one result per return. */
  evaluate(args: readonly IValue[], context: EvaluationContext): IValue[]
  /** For an operator that the attributes of its node belong to: evaluates that node. Ask `evaluatorOf`. */
  bind?(node: Node): Operator['evaluate']
  /**
   * The same, made of simpler operators that are called one after the other, for backends that have kernels for those.
   * Undefined where these arguments are not taken apart.
   */
  decompose?(args: readonly IValue[], call: CallOperator): Tensor | undefined
}

interface TypedKernel<S extends string> extends OperatorTraits {
  /** The definition of right: plain TypeScript on unpacked arguments. */
  readonly reference: (args: ArgumentsOf<S>, context: EvaluationContext) => KernelResult
  /** `Operator.decompose` on unpacked arguments. */
  readonly decompose?: (args: ArgumentsOf<S>, call: CallOperator) => Tensor | undefined
}

interface RawKernel extends OperatorTraits {
  /** For operators on lists, dicts, objects and untyped values: sees the interpreter's values as they are. */
  readonly raw: (args: readonly IValue[], context: EvaluationContext) => IValue | readonly IValue[] | void
}

interface NodeKernel extends OperatorTraits {
  /** What is wrong with the attributes is an error when the kernel runs. */
  readonly bind: (node: Node) => Operator['evaluate']
}

/**
 * Defines an operator by its schema text (as in PyTorch's native_functions.yaml or register_prim_ops.cpp) and its
 * reference kernel.
 */
export function defineOp<const S extends string>(text: S, definition: TypedKernel<S>): Operator {
  const schema = parseSchema(text)
  const { reference, decompose, ...traits } = definition
  const bind = (args: readonly IValue[]): ArgumentsOf<S> => bindArguments(schema, args) as ArgumentsOf<S>
  return {
    ...traits,
    schema,
    key: schemaKey(schema),
    evaluate: (args, context) => wrapResult(schema, reference(bind(args), context)),
    ...(decompose && { decompose: (args, call) => decompose(bind(args), call) }),
  }
}

/** As `defineOp`, for an operator that works on the interpreter's own values. Several returns come as an array. */
export function defineRawOp(text: string, definition: RawKernel): Operator {
  const schema = parseSchema(text)
  const { raw, ...traits } = definition
  return {
    ...traits,
    schema,
    key: schemaKey(schema),
    evaluate: (args, context) => {
      const result = raw(stridedTensors(schema, args), context)
      if (Array.isArray(result)) return result as IValue[]
      return schema.returns.length === 0 ? [] : [(result ?? null) as IValue]
    },
  }
}

function stridedTensors({ arguments: expected }: FunctionSchema, args: readonly IValue[]): readonly IValue[] {
  if (!args.some((arg) => arg instanceof Tensor && arg.layout !== undefined)) return args
  return args.map((arg, i) => {
    const argument = expected[i]
    return argument !== undefined && takesTensors(argument) ? stridedOperand(arg, argument) : arg
  })
}

/**
 * As `defineRawOp`, for an operator whose meaning lies in the attributes of its node too; the kernel is made once per
 * node. Without the node it cannot be evaluated.
 */
export function defineNodeOp(text: string, { bind, ...traits }: NodeKernel): Operator {
  const schema = parseSchema(text)
  return {
    ...traits,
    schema,
    key: schemaKey(schema),
    bind,
    evaluate: () => {
      throw new UnsupportedOperatorError(`${schema.name} is nothing without the attributes of its node`)
    },
  }
}

/** How to evaluate a node by its operator. */
export function evaluatorOf(operator: Operator, node: Node): Operator['evaluate'] {
  return operator.bind?.(node) ?? ((args, context) => operator.evaluate(args, context))
}
