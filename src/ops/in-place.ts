import type { IValue } from '../ir/ivalue.ts'
import { schemaKey, type Argument, type FunctionSchema } from '../ir/schema.ts'
import { Tensor } from '../tensor/tensor.ts'
import { sameSizes } from './broadcast.ts'
import { OperatorArgumentError } from './errors.ts'
import type { Operator } from './operator.ts'
import { copyInto } from './tensor-access.ts'
import { canCast } from './type-promotion.ts'

/**
 * The in-place twin of a functional operator: `aten::add_.Tensor` of `aten::add.Tensor`. Computes the result beside
 * and writes it through `self`'s strides, so operands may share memory with it; gives back `self` itself.
 *
 * @param overload the twin's overload name, where it is another
 */
export function inPlace(operator: Operator, overload = operator.schema.overload): Operator {
  const schema = inPlaceSchema(operator.schema, overload)
  return {
    ...operator,
    schema,
    key: schemaKey(schema),
    evaluate: (args, context) => [overwrite(schema.name, args[0], operator.evaluate(args, context)[0])],
  }
}

/** Each operator, followed by its in-place twin. */
export function withInPlace(...operators: readonly Operator[]): Operator[] {
  return operators.flatMap((operator) => [operator, inPlace(operator)])
}

/** The same operator under another name, as libtorch has `multiply` for `mul`. */
export function renamed(operator: Operator, name: string, overload = operator.schema.overload): Operator {
  const schema = { ...operator.schema, name, overload }
  return { ...operator, schema, key: schemaKey(schema) }
}

function inPlaceSchema(schema: FunctionSchema, overload: string): FunctionSchema {
  const alias = { before: ['a'], after: ['a'], isWrite: true }
  const mark = (argument: Argument): Argument => ({ ...argument, alias })
  const [self, ...others] = schema.arguments
  return {
    ...schema,
    name: `${schema.name}_`,
    overload,
    arguments: self ? [{ ...mark(self), name: 'self' }, ...others] : others,
    returns: schema.returns.map(mark),
  }
}

function overwrite(name: string, self: IValue | undefined, result: IValue | undefined): Tensor {
  if (!(self instanceof Tensor) || !(result instanceof Tensor))
    throw new OperatorArgumentError(`${name} writes to a tensor, and was given none`)
  if (result === self) return self
  if (!sameSizes(self.sizes, result.sizes))
    throw new OperatorArgumentError(
      `output with shape [${self.sizes.join(', ')}] doesn't match the broadcast shape [${result.sizes.join(', ')}]`,
    )
  if (!canCast(result.dtype, self.dtype))
    throw new OperatorArgumentError(
      `result type ${result.dtype} can't be cast to the desired output type ${self.dtype}`,
    )
  copyInto(self, result)
  return self
}
