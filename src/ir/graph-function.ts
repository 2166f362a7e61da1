import { bug } from '../errors.ts'
import type { Graph } from './graph.ts'
import type { FunctionSchema } from './schema.ts'

interface FunctionBody {
  readonly graph: Graph
  readonly schema: FunctionSchema
}

/** A free function or a method with its graph, compiled when first asked for. */
export class GraphFunction {
  /** e.g. `__torch__.torch.nn.functional.relu`, or class name plus method name. */
  readonly qualifiedName: string
  readonly #declared: FunctionSchema | undefined
  #compile: (() => FunctionBody) | undefined
  #body: FunctionBody | undefined
  #compiling = false

  /** @param declared the schema, where it is known without compiling the body */
  constructor(qualifiedName: string, compile: () => FunctionBody, declared?: FunctionSchema) {
    this.qualifiedName = qualifiedName
    this.#compile = compile
    this.#declared = declared
  }

  /** The last component of the qualified name. */
  get name(): string {
    return this.qualifiedName.slice(this.qualifiedName.lastIndexOf('.') + 1)
  }

  /** True while the body is being compiled: a call in that time is a recursion. */
  get isCompiling(): boolean {
    return this.#compiling
  }

  get graph(): Graph {
    return this.#ensureBody().graph
  }

  get schema(): FunctionSchema {
    return this.#declared ?? this.#ensureBody().schema
  }

  /** Replaces the graph; for passes that rewrite a whole module. */
  setGraph(graph: Graph): void {
    this.#body = { graph, schema: this.schema }
  }

  #ensureBody(): FunctionBody {
    if (this.#body === undefined) {
      if (this.#compile === undefined || this.#compiling) bug(`${this.qualifiedName} has no body`)
      this.#compiling = true
      try {
        this.#body = this.#compile()
        this.#compile = undefined
      } finally {
        this.#compiling = false
      }
    }
    return this.#body
  }
}
