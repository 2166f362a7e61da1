import { GraphFunction } from '../ir/graph-function.ts'
import type { Node, Value } from '../ir/graph.ts'
import type { IValue } from '../ir/ivalue.ts'
import { reorderKind } from '../ir/layout-attribute.ts'
import type { FunctionSchema } from '../ir/schema.ts'
import { withoutOptional } from '../ir/type-relations.ts'
import type { Type } from '../ir/types.ts'
import { schemaOfNode } from '../ops/schema-table.ts'
import { ModuleSaveError } from './errors.ts'
import { printLiteral, printTuple, quoteString } from './python-literals.ts'
import { isIdentifier } from './python-names.ts'

/** What printing an expression asks of the printer of the whole archive. */
export interface ExpressionScope {
  /** The text that stands for a value. */
  text(value: Value): string
  /** The annotation of a type; makes sure that its class is written too. */
  annotation(type: Type): string
  /** `CONSTANTS.cN` for content without a literal. */
  constant(value: IValue): string
  /** Makes sure that the function is written too; gives its qualified name. */
  functionName(fn: GraphFunction): string
}

type NodePrinter = (node: Node, scope: ExpressionScope, args: readonly string[]) => string

/** Casts that read as Python's. */
const castNames: Readonly<Record<string, string>> = {
  'aten::Int': 'int',
  'aten::Float': 'float',
  'aten::Bool': 'bool',
  'aten::str': 'str',
}

const printers: Readonly<Record<string, NodePrinter>> = {
  'prim::Constant': printConstant,
  'prim::GetAttr': (node, _scope, [object]) => {
    const name = node.stringAttribute('name')
    return isIdentifier(name) ? `${object ?? ''}.${name}` : `getattr(${object ?? ''}, ${quoteString(name)})`
  },
  'prim::CallMethod': (node, _scope, [object, ...args]) =>
    `(${object ?? ''}).${node.stringAttribute('name')}(${args.join(', ')})`,
  'prim::CallFunction': (_node, _scope, [callee, ...args]) => `${callee ?? ''}(${args.join(', ')})`,
  'prim::CreateObject': (node, scope) => {
    const name = scope.annotation(node.output().type)
    return `${name}.__new__(${name})`
  },
  'prim::ListConstruct': (node, scope, args) => {
    const list = `[${args.join(', ')}]`
    const type = node.output().type
    const isPlain =
      type.kind === 'List' &&
      args.length > 0 &&
      ['Tensor', 'Int', 'Float', 'Bool', 'String'].includes(type.element.kind)
    return isPlain || (type.kind === 'List' && type.element.kind === 'Tensor')
      ? list
      : `annotate(${scope.annotation(type)}, ${list})`
  },
  'prim::DictConstruct': (node, scope, args) => {
    const entries: string[] = []
    for (let i = 0; i + 1 < args.length; i += 2) entries.push(`${args[i] ?? ''}: ${args[i + 1] ?? ''}`)
    return `annotate(${scope.annotation(node.output().type)}, {${entries.join(', ')}})`
  },
  'prim::TupleConstruct': (node, scope, args) => {
    const { type } = node.output()
    return printTuple(
      args,
      type.kind === 'Tuple' && type.name !== undefined ? scope.annotation(type) : undefined,
    )
  },
  'prim::TupleIndex': (_node, _scope, [tuple, index]) => `(${tuple ?? ''})[${index ?? ''}]`,
  'prim::TupleSlice': (node, _scope, [tuple]) =>
    `(${tuple ?? ''})[${node.attribute('beg') as number}:${node.attribute('end') as number}]`,
  'prim::unchecked_cast': (node, scope, [value]) =>
    `unchecked_cast(${scope.annotation(node.output().type)}, ${value ?? ''})`,
  'prim::Uninitialized': (node, scope) => `uninitialized(${scope.annotation(node.output().type)})`,
  'prim::isinstance': (node, scope, [value]) => {
    const attribute = node.attributes.get('types')
    const types = attribute?.kind === 'types' ? attribute.types : []
    return `isinstance(${value ?? ''}, ${printTuple(
      types.map((type) => scope.annotation(type)),
      undefined,
    )})`
  },
  'prim::tolist': (node, scope, [value]) =>
    `annotate(${scope.annotation(node.output().type)}, (${value ?? ''}).tolist())`,
  // libtorch has no such layouts: to it a reorder is a copy, and what is packed is written row-major.
  [reorderKind]: (_node, _scope, [value]) => `torch.clone(${value ?? ''})`,
  'prim::Print': (_node, _scope, args) => `print(${args.join(', ')})`,
  'aten::IntImplicit': printImplicit,
  'aten::FloatImplicit': printImplicit,
  'aten::ComplexImplicit': printImplicit,
  'aten::ScalarImplicit': printImplicit,
}

function printImplicit(node: Node, scope: ExpressionScope, [value]: readonly string[]): string {
  return `annotate(${scope.annotation(node.output().type)}, ${value ?? ''})`
}

function printConstant(node: Node, scope: ExpressionScope): string {
  const { type } = node.output()
  const value = node.attribute('value') ?? null
  if (value instanceof GraphFunction) return scope.functionName(value)
  if (value === null) return type.kind === 'None' ? 'None' : `annotate(${scope.annotation(type)}, None)`
  // Names the classes that the literal mentions.
  if (['Enum', 'Tuple', 'List', 'Dict'].includes(withoutOptional(type).kind)) scope.annotation(type)
  return printLiteral(value, (content) => scope.constant(content))
}

/** The source of what a node computes; nodes with blocks and those that are statements are not for this. */
export function printExpression(node: Node, scope: ExpressionScope): string {
  const args = node.inputs.map((input) => scope.text(input))
  const printer = printers[node.kind]
  if (printer) return printer(node, scope, args)
  const cast = castNames[node.kind]
  if (cast !== undefined && args.length === 1) return `${cast}(${args.join()})`
  return printOperator(node, args)
}

function printOperator(node: Node, args: readonly string[]): string {
  const [namespace, name] = node.kind.split('::')
  if (name === undefined || namespace === undefined || !/^\w+$/.test(name))
    throw new ModuleSaveError(`'${node.kind}' has no spelling in TorchScript source`, { node: node.kind })
  const callee = namespace === 'aten' ? `torch.${name}` : `ops.${namespace}.${name}`
  const schema = node.schema ?? schemaOfNode(node)
  return `${callee}(${printArguments(args, schema).join(', ')})`
}

function printArguments(args: readonly string[], schema: FunctionSchema | undefined): string[] {
  return args.map((text, i) => {
    const argument = schema?.arguments[i]
    return argument?.kwargOnly === true ? `${argument.name}=${text}` : text
  })
}
