import { describe, expect, it } from 'vitest'
import { GraphEditor } from '../ir/graph-editor.ts'
import { Graph, type Value } from '../ir/graph.ts'
import { printGraph } from '../ir/graph-printer.ts'
import { parseSchema } from '../ir/schema-parser.ts'
import { SourceRange } from '../ir/source-range.ts'
import { printType } from '../ir/type-printer.ts'
import {
  BoolT,
  FloatT,
  IntT,
  listOf,
  NoneT,
  NumberT,
  optionalOf,
  StringT,
  TensorT,
  tupleOf,
  type Type,
} from '../ir/types.ts'
import { matchSchemas } from './schema-matcher.ts'

const range = new SourceRange({ name: 'test.py', text: '' }, 0, 0)

/** Calls operators of those schemas with arguments of those types; keyword arguments behind, by name. */
function match(
  schemas: readonly string[],
  types: readonly Type[],
  keywords: Readonly<Record<string, Type>> = {},
): { schema: string; inputs: string[]; returns: string[]; added: string[] } | readonly string[] {
  const graph = new Graph()
  const edit = new GraphEditor(graph)
  const input = (type: Type): Value => edit.addBlockInput(graph.block, type)
  const args = types.map(input)
  const kwargs = Object.entries(keywords).map(([name, type]) => ({ name, value: input(type) }))
  const found = matchSchemas(edit, range, schemas.map(parseSchema), { args, kwargs })
  const added = [...graph.nodes()].map(({ kind }) => kind)
  if (!('schema' in found)) {
    expect(added, printGraph(graph)).toEqual([])
    return found
  }
  return {
    schema: `${found.schema.name}.${found.schema.overload}`,
    inputs: found.inputs.map(({ type }) => printType(type)),
    returns: found.returnTypes.map(printType),
    added,
  }
}

const add = [
  'aten::add.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor',
  'aten::add.Scalar(Tensor self, Scalar other, Scalar alpha=1) -> Tensor',
  'aten::add.int(int a, int b) -> int',
  'aten::add.t(t[] a, t[] b) -> t[]',
]

describe('matchSchemas', () => {
  it('takes an empty list without an annotation for a list of what is asked for', () => {
    const graph = new Graph()
    const edit = new GraphEditor(graph)
    const list = edit.insert('prim::ListConstruct', [], { outputs: [listOf(TensorT)] }).output()
    const schema = parseSchema('aten::ones(int[] size) -> Tensor')
    const found = matchSchemas(edit, range, [schema], { args: [list], kwargs: [] })
    expect('inputs' in found && found.inputs.map(({ type }) => printType(type))).toEqual(['int[]'])
  })

  it.each([
    ['two tensors', [TensorT, TensorT], 'aten::add.Tensor'],
    ['a tensor and a number', [TensorT, IntT], 'aten::add.Scalar'],
    ['two ints', [IntT, IntT], 'aten::add.int'],
    ['two lists', [listOf(StringT), listOf(StringT)], 'aten::add.t'],
  ])('picks the first overload that fits: %s', (_name, types, schema) => {
    expect(match(add, types)).toMatchObject({ schema })
  })

  it('gives results the types that variables stand for', () => {
    expect(match(add, [listOf(StringT), listOf(StringT)])).toMatchObject({ returns: ['str[]'] })
  })

  it('fills in defaults as constants', () => {
    expect(match(add, [TensorT, TensorT])).toMatchObject({
      inputs: ['Tensor', 'Tensor', 'int'],
      added: ['prim::Constant'],
    })
  })

  it('binds keyword arguments by name', () => {
    expect(match(add, [TensorT, TensorT], { alpha: IntT })).toMatchObject({ added: [] })
    expect(match(['aten::f(Tensor a, Tensor b) -> Tensor'], [TensorT], { c: TensorT })).toEqual([
      "argument 'b' is missing",
    ])
  })

  it('prefers an overload without conversions, even if it stands behind', () => {
    const schemas = ['aten::f.float(float a) -> float', 'aten::f.Tensor(Tensor a) -> Tensor']
    expect(match(schemas, [TensorT])).toMatchObject({ schema: 'aten::f.Tensor', added: [] })
  })

  it('converts tensors to numbers where nothing else fits', () => {
    expect(match(['aten::f(int a, float b) -> int'], [TensorT, TensorT])).toMatchObject({
      added: ['aten::IntImplicit', 'aten::FloatImplicit'],
    })
    expect(match(['aten::f(int a) -> int'], [NumberT])).toMatchObject({ added: ['aten::Int'] })
  })

  it('repeats a number for a list of fixed size, and takes a tuple for a list', () => {
    const schema = ['aten::f(Tensor x, int[2] size) -> Tensor']
    expect(match(schema, [TensorT, IntT])).toMatchObject({ inputs: ['Tensor', 'int[]'] })
    expect(match(schema, [TensorT, tupleOf([IntT, IntT])])).toMatchObject({
      added: ['prim::TupleUnpack', 'prim::ListConstruct'],
    })
  })

  it('takes numbers written out for the last list', () => {
    expect(match(['aten::view(Tensor self, int[] size) -> Tensor'], [TensorT, IntT, IntT])).toMatchObject({
      inputs: ['Tensor', 'int[]'],
      added: ['prim::ListConstruct'],
    })
  })

  it('takes None, and a value, for an optional argument', () => {
    const schema = ['aten::f(Tensor? x) -> Tensor']
    for (const type of [NoneT, TensorT, optionalOf(TensorT)])
      expect(match(schema, [type])).toMatchObject({ added: [] })
  })

  it('says for each overload why it does not fit, and leaves nothing in the graph', () => {
    expect(match(add, [BoolT, TensorT])).toEqual([
      "argument 'self' must be Tensor, not bool",
      "argument 'self' must be Tensor, not bool",
      "argument 'a' must be int, not bool",
      "argument 'a' must be t[], not bool",
    ])
    expect(match(['aten::f(float a) -> float'], [FloatT, FloatT])).toEqual([
      'takes 1 positional arguments but 2 were given',
    ])
  })
})
