import { GraphEditor } from '../ir/graph-editor.ts'
import { Graph, type Block, type Value } from '../ir/graph.ts'
import { Double, type IValue } from '../ir/ivalue.ts'
import { formatLocation, SourceRange, type Source } from '../ir/source-range.ts'
import { isOversized } from '../ir/type-size.ts'
import { BoolT, FloatT, IntT, type Type } from '../ir/types.ts'
import { Environment } from './environment.ts'
import { ScriptCompileError } from './errors.ts'
import { placeIn } from './lexer.ts'
import type { NameResolver } from './name-resolver.ts'
import type { Ranged } from './syntax.ts'

/** The state of compiling one function. */
export class EmitContext {
  readonly graph = new Graph()
  readonly edit = new GraphEditor(this.graph)
  readonly source: Source
  readonly names: NameResolver
  readonly functionName: string
  readonly returnType: Type | undefined
  environment: Environment
  /** Ints and floats are made once, in front of everything, as libtorch does. */
  readonly #numbers = new Map<string, Value>()

  constructor(source: Source, names: NameResolver, functionName: string, returnType: Type | undefined) {
    this.source = source
    this.names = names
    this.functionName = functionName
    this.returnType = returnType
    this.environment = new Environment(this.graph.block)
  }

  range(at: Ranged): SourceRange {
    return new SourceRange(this.source, at.start, at.end)
  }

  /** Runs `body` at the end of `block` with variables of its own; returns those. */
  inBlock(block: Block, body: () => void): Environment {
    const environment = new Environment(block, this.environment)
    const outer = this.environment
    this.environment = environment
    try {
      this.edit.at(block, body)
    } finally {
      this.environment = outer
    }
    return environment
  }

  bool(value: boolean, at: Ranged): Value {
    return this.edit.insertConstant(value, BoolT, this.range(at))
  }

  int(value: number | bigint, at: Ranged): Value {
    return this.#number(`int ${value}`, value, IntT, at)
  }

  float(value: number, at: Ranged): Value {
    return this.#number(`float ${Object.is(value, -0) ? '-0' : value}`, new Double(value), FloatT, at)
  }

  #number(key: string, content: IValue, type: Type, at: Ranged): Value {
    let value = this.#numbers.get(key)
    if (value === undefined) {
      const first = this.graph.block.returnNode.next
      value = this.edit.at(first, () => this.edit.insertConstant(content, type, this.range(at)))
      this.#numbers.set(key, value)
    }
    return value
  }

  /** Variables and results are where types grow from statement to statement. */
  expectModestType(type: Type, at: Ranged): void {
    if (isOversized(type)) this.fail('a type is nested too deeply or is too large', at)
  }

  fail(found: string, at: Ranged, advice = ''): never {
    const original = this.range(at).writtenAt
    throw new ScriptCompileError(
      found,
      {
        ...placeIn(this.source, at.start),
        method: this.functionName,
        ...(original && { original: formatLocation(original) }),
      },
      advice,
    )
  }
}
