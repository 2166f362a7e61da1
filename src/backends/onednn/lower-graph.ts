import type { Node, Value } from '../../ir/graph.ts'
import type { SpecialisedGraph } from '../../runtime/specialise.ts'
import type { Storage } from '../../tensor/storage.ts'
import type { Dnnl } from './binding/dnnl.ts'
import { eltwiseOf } from './eltwise.ts'
import { OneDnnError } from './binding/errors.ts'
import { CallArguments } from './call-arguments.ts'
import { attentionRules, onlyFirstIsUsed } from './lower-attention.ts'
import { copyingRules } from './lower-copying.ts'
import { lowerConcat } from './lower-concat.ts'
import { convolutionKinds } from './convolution-geometry.ts'
import { lowerConvolution } from './lower-convolution.ts'
import { groupNormRules } from './lower-group-norm.ts'
import { lowerElementwise } from './lower-elementwise.ts'
import { Lowering, type LoweringChoices, type WeightCache } from './lowering.ts'
import type { LoweringRule } from './lowering-rules.ts'
import { matrixProductRules } from './lower-matrix-product.ts'
import { normalizationRules } from './lower-normalization.ts'
import { poolingRules } from './lower-pooling.ts'
import { preluRules } from './lower-prelu.ts'
import { recurrenceRules } from './lower-recurrence.ts'
import { recurrentCellRules } from './lower-recurrent-cell.ts'
import { isView, lowerView, writesInPlace } from './lower-views.ts'
import { binaryOf, EpilogueFinder, type Epilogue } from './post-operations.ts'
import type { PlanBuffer } from './placement.ts'

/** Nodes that take epilogues. */
const kernels: Readonly<Record<string, LoweringRule>> = {
  ...Object.fromEntries(convolutionKinds.map((kind) => [kind, lowerConvolution])),
  ...matrixProductRules,
  'aten::batch_norm': normalizationRules['aten::batch_norm'] as LoweringRule,
  ...groupNormRules,
}

const others: Readonly<Record<string, LoweringRule>> = {
  ...normalizationRules,
  ...poolingRules,
  ...copyingRules,
  ...attentionRules,
  ...preluRules,
  'aten::cat': lowerConcat,
}

/** These give all of their results. */
const withSeveralResults: Readonly<Record<string, LoweringRule>> = {
  ...recurrenceRules,
  ...recurrentCellRules,
}

/** Lowers a specialised graph node by node. What the library cannot do is done by the reference kernels, and why. */
export function lowerGraph(
  dnnl: Dnnl,
  graph: SpecialisedGraph,
  packed: WeightCache,
  choices: LoweringChoices,
): Lowering {
  const lowering = new Lowering(dnnl, graph, packed, choices)
  new GraphLowering(lowering).lower()
  return lowering
}

class GraphLowering {
  readonly #lowering: Lowering
  readonly #finder: EpilogueFinder
  /** Kernels by the last node of their epilogues: there their step goes. */
  readonly #deferred = new Map<Node, { readonly kernel: Node; readonly epilogues: readonly Epilogue[] }>()
  /** Nodes whose steps are there. */
  readonly #done = new Set<Node>()
  readonly #inEpilogue = new Set<Node>()
  readonly #byStorage = new Map<Storage, Value[]>()

  constructor(lowering: Lowering) {
    this.#lowering = lowering
    this.#finder = new EpilogueFinder(lowering)
    const { graph, tensors } = lowering.graph
    for (const node of graph.nodes()) this.#findEpilogues(node)
    for (const [value, { storage }] of tensors) {
      const values = this.#byStorage.get(storage)
      if (values) values.push(value)
      else this.#byStorage.set(storage, [value])
    }
  }

  #findEpilogues(node: Node): void {
    if (kernels[node.kind] === undefined || node.outputs.length !== 1) return
    const epilogues = this.#finder.find(node)
    const last = epilogues.at(-1)?.node ?? node
    this.#deferred.set(last, { kernel: node, epilogues })
    for (const each of [node, ...epilogues.map((epilogue) => epilogue.node)])
      if (each !== last) this.#inEpilogue.add(each)
  }

  lower(): void {
    const { graph } = this.#lowering.graph
    for (const node of graph.nodes()) {
      const deferred = this.#deferred.get(node)
      if (deferred) this.#lowerKernel(deferred.kernel, deferred.epilogues)
      else if (!this.#inEpilogue.has(node) && node.kind !== 'prim::Constant') this.#lowerAlone(node)
    }
    for (const output of graph.outputs) this.#lowering.home(output)
  }

  /** Tries all epilogues, then fewer. */
  #lowerKernel(kernel: Node, epilogues: readonly Epilogue[]): void {
    const rule = kernels[kernel.kind] as LoweringRule
    let reason: string | undefined = ''
    for (let count = epilogues.length; count >= 0; count--) {
      const own = epilogues.slice(0, count)
      reason = this.#attempt(rule, kernel, own)
      if (reason === undefined) {
        for (const node of [kernel, ...own.map((epilogue) => epilogue.node)]) this.#done.add(node)
        for (const { node } of epilogues.slice(count)) this.#lowerAlone(node)
        return
      }
    }
    this.#lowerByReference(kernel, reason)
    this.#done.add(kernel)
    for (const { node } of epilogues) this.#lowerAlone(node)
  }

  #lowerAlone(node: Node): void {
    if (writesInPlace(node)) this.#lowerByReference(node, 'it writes in place')
    else if (isView(node, this.#lowering)) lowerView(node, this.#lowering)
    else {
      const rule =
        withSeveralResults[node.kind] ??
        (onlyFirstIsUsed(node) ? (others[node.kind] ?? this.#elementwiseRule(node)) : undefined)
      const reason = rule ? this.#attempt(rule, node, []) : 'the library has no such operator'
      if (reason !== undefined) this.#lowerByReference(node, reason)
    }
    this.#done.add(node)
  }

  /** What the library refuses on the way is a reason too. */
  #attempt(rule: LoweringRule, node: Node, epilogues: readonly Epilogue[]): string | undefined {
    try {
      return rule(node, this.#lowering, { epilogues, mayOverwrite: (value) => this.#mayOverwrite(value) })
    } catch (error) {
      if (error instanceof OneDnnError && error.isRefusal) return error.message
      throw error
    }
  }

  #elementwiseRule(node: Node): LoweringRule | undefined {
    const args = new CallArguments(node, this.#lowering)
    return node.outputs.length === 1 && (eltwiseOf(args) ?? binaryOf(args)) !== undefined
      ? lowerElementwise
      : undefined
  }

  /** Whether nothing is left that reads the value, or shares its memory, but the node that asks. */
  #mayOverwrite(value: Value): boolean {
    const tensor = this.#lowering.graph.tensors.get(value)
    if (tensor === undefined) return false
    const placements = this.#lowering.placementsOf(value)
    const buffers = new Set(placements.map(({ buffer }) => buffer))
    if (placements.length !== 1 || buffers.size !== 1) return false
    const [buffer] = [...buffers] as [PlanBuffer]
    if (buffer.kind !== 'arena' || buffer.isPart || buffer.hasParts) return false
    const sharing = this.#byStorage.get(tensor.storage) ?? []
    return sharing.length === 1 && this.#usesLeft(value) === 1
  }

  /** Lists are used where they are. */
  #usesLeft(value: Value): number {
    const users = value.uses.map(({ user }) =>
      user.kind === 'prim::ListConstruct' ? this.#usesLeft(user.output()) : Number(!this.#done.has(user)),
    )
    return users.reduce((sum, count) => sum + count, 0)
  }

  #lowerByReference(node: Node, reason: string): void {
    const lowering = this.#lowering
    const buffers = new Set<PlanBuffer>()
    const inputs = node.inputs.flatMap((value) => tensorsBehind(value, lowering))
    for (const value of inputs) buffers.add(lowering.home(value).buffer)
    const known = new Set(inputs.map((value) => lowering.tensorOf(value).storage))
    const outputs = node.outputs.map((value) => {
      const tensor = lowering.graph.tensors.get(value)
      return tensor === undefined || known.has(tensor.storage) ? undefined : value
    })
    for (const value of outputs) if (value) buffers.add(lowering.defineHome(value).buffer)
    lowering.addReference({ kind: 'reference', node, inputs, outputs, buffers, reason })
    if (writesInPlace(node))
      for (const value of inputs) lowering.forgetCopies(lowering.tensorOf(value).storage)
  }
}

/** The tensor itself, or those of a list; constants need no memory of the plan. */
function tensorsBehind(value: Value, lowering: Lowering): Value[] {
  if (lowering.graph.tensors.has(value)) return [value]
  return value.node.kind === 'prim::ListConstruct'
    ? value.node.inputs.flatMap((item) => tensorsBehind(item, lowering))
    : []
}
