import { AliasDatabase } from '../ir/alias-database.ts'
import type { Graph, Node, Value } from '../ir/graph.ts'
import { reorderKind } from '../ir/layout-attribute.ts'
import { eliminateDeadCode } from './eliminate-dead-code.ts'
import { definePass, type Pass, type PassContext } from './pass.ts'
import { applyMotion, Replacements } from './support/apply-motion.ts'
import { hasSideEffects, isNondeterministic } from './support/effects.ts'
import { EventFinder } from './support/expression-events.ts'
import { expressionWebs, type ExpressionRules, type ExpressionWeb } from './support/expression-webs.ts'
import { motionBatches } from './support/motion-batches.ts'
import { planMotion, type WebPlan } from './support/motion-plan.ts'
import { reorderRules } from './support/reorder-rules.ts'
import { sinkComputations } from './support/sink-computations.ts'
import { flowOf } from './support/structured-flow.ts'

/**
 * Computes on no path what is there already, and where it is needed only: lazy code motion (Knoop, Rüthing and Steffen,
 * "Lazy Code Motion", PLDI 1992, and "Optimal Code Motion: Theory and Practice", TOPLAS 16(4), 1994) of
 * `layout::reorder` on structured control flow, of which libtorch has nothing. No path computes more than before.
 *
 * 1. A reorder of a reorder is one of what that one reorders, and is nothing where its type says that it lies so.
 * 2. A computation is taken out where every way to it has computed the same, or is made to by a new computation on a way
 *    that would come to one in any case. New computations stand as late as that allows.
 * 3. A computation on an output of a `prim::If`, or on what a `prim::Loop` carries, is on each way in the computation on
 *    what comes that way; its results are merged by a new output, or carried by a new value.
 * 4. Out of a loop moves only what is computed whenever the loop is reached: because it is needed behind it too, or
 *    because the loop is known to have a first turn.
 * 5. A write of what an operand may share memory with ends what is known, by the alias database.
 * 6. Nothing is computed earlier across a node with side effects; behind a `prim::RaiseException` comes nobody.
 * 7. A result that is written stays alone. Two results that may be seen from outside do not become one, nor do those
 *    of the turns of a loop.
 * 8. What only one branch of a `prim::If` needs moves into it ("Partial Dead Code Elimination", PLDI 1994).
 * 9. All that again until nothing changes; then what nobody needs any more goes.
 */
export function eliminatePartialRedundancy(graph: Graph, cx: PassContext): void {
  eliminate(graph, cx, (node) => node.kind === reorderKind, reorderRules)
}

export const eliminatePartialRedundancyPass = definePass({
  name: 'eliminate-partial-redundancy',
  summary: 'Computes no reorder on a path that has it already, and moves it to where it is needed.',
  run: eliminatePartialRedundancy,
})

/**
 * The same for nodes that `isCandidate` chooses. Of these are taken those with inputs, one output, no blocks and
 * subgraphs, no effects, and the same result whenever they are run. What may raise is computed on no path that did not
 * compute it before, but may come to raise earlier than another operator does.
 *
 * @param name a name of its own, for the log
 */
export function eliminatePartialRedundancyOf(
  isCandidate: (node: Node) => boolean,
  name = eliminatePartialRedundancyPass.name,
): Pass {
  const { summary } = eliminatePartialRedundancyPass
  return { name, summary, run: (graph, cx) => eliminate(graph, cx, isCandidate, () => ({ isCandidate })) }
}

type RulesOf = (aliases: AliasDatabase) => ExpressionRules

/** Far more than nested expressions are deep. */
const rounds = 20

function eliminate(
  graph: Graph,
  context: PassContext,
  isChosen: (node: Node) => boolean,
  rulesOf: RulesOf,
): void {
  const cx = missingOnce(context)
  let known: Candidates | undefined
  const candidates = (): Candidates =>
    known?.isCurrent === true ? known : (known = new Candidates(graph, cx, rulesOf))
  for (let round = 0; round < rounds; round++) {
    if (![...graph.nodes()].some(isChosen)) return
    const changed = [simplify, move, sink].map((step) => step(graph, cx, candidates())).includes(true)
    if (!changed) return
    eliminateDeadCode(graph, cx)
  }
}

/** Every round finds again why a node is left alone; it is said once. */
function missingOnce(cx: PassContext): PassContext {
  const missed = new Set<Node>()
  const miss = (at: Node, why: string): void => {
    if (!missed.has(at)) cx.miss(at, why)
    missed.add(at)
  }
  return { ...cx, miss }
}

/** The candidates among which the pass may choose, in the graph as it was when they were found. */
class Candidates {
  readonly aliases: AliasDatabase
  readonly rules: ExpressionRules
  readonly #graph: Graph
  readonly #revision: number
  readonly #cx: PassContext
  readonly #answers = new Map<Node, boolean>()

  constructor(graph: Graph, cx: PassContext, rulesOf: RulesOf) {
    this.#graph = graph
    this.#revision = graph.revision
    this.#cx = cx
    this.aliases = new AliasDatabase(graph, (node) => cx.schemaOf(node))
    const rules = rulesOf(this.aliases)
    this.rules = { ...rules, isCandidate: (node) => rules.isCandidate(node) && this.#isPure(node) }
  }

  /** Whether the graph is still the same. */
  get isCurrent(): boolean {
    return this.#graph.revision === this.#revision
  }

  #isPure(node: Node): boolean {
    let answer = this.#answers.get(node)
    if (answer === undefined) this.#answers.set(node, (answer = this.#check(node)))
    return answer
  }

  #check(node: Node): boolean {
    if (node.outputs.length !== 1 || node.inputs.length === 0 || node.blocks.length > 0) return false
    if ([...node.attributes.values()].some(({ kind }) => kind !== 'value')) return false
    if (hasSideEffects(node, this.#cx) || isNondeterministic(node, this.#cx)) return false
    if (this.aliases.writes(node)) return false
    if (!this.aliases.hasWriters(node.output())) return true
    this.#cx.miss(node, 'its result is written')
    return false
  }

  escapes(value: Value): boolean {
    return this.aliases.escapesScope([value])
  }
}

/** Rule 1. */
function simplify(graph: Graph, cx: PassContext, { rules, aliases }: Candidates): boolean {
  let changed = false
  for (const node of [...graph.nodes()].filter((candidate) => rules.isCandidate(candidate))) {
    const inner = rules.simplerOperand?.(node, node.input())
    if (inner)
      changed =
        cx.rewrite(node, `of %${inner.debugName}`, (edit) => edit.replaceInput(node, 0, inner)) || changed
    const known = rules.knownResult?.(node, node.input())
    if (known === undefined || !aliases.safeToChangeAliasing(node.outputs, [known])) continue
    changed =
      cx.rewrite(node, `is %${known.debugName}`, (edit) => {
        edit.replaceAllUses(node.output(), known)
        edit.destroy(node)
      }) || changed
  }
  return changed
}

/** Rules 2 to 7. */
function move(graph: Graph, cx: PassContext, candidates: Candidates): boolean {
  const flow = flowOf(graph, { isObserver: (node) => hasSideEffects(node, cx) })
  const finder = new EventFinder(flow, candidates.aliases)
  const replacements = new Replacements()
  let changed = false
  const allWebs = expressionWebs(flow, candidates.rules)
  for (const { webs, flow: part } of motionBatches(flow, allWebs, finder)) {
    const pinned = new Set(webs.flatMap((web) => pinnedNodes(web, candidates, cx)))
    for (const plan of planMotion(part, webs, finder, (node) => pinned.has(node)))
      changed = applyPlan(plan, cx, replacements) || changed
  }
  return changed
}

function applyPlan(plan: WebPlan, cx: PassContext, replacements: Replacements): boolean {
  const [first] = plan.replaced
  if (first === undefined) return false
  const insertions = [...plan.insertions.values()].flat().length
  const why = `${plan.replaced.length} computed before, by ${insertions} new`
  return cx.rewrite(first.node, why, (edit) => applyMotion(edit, plan, replacements))
}

/** Rule 8. */
function sink(graph: Graph, cx: PassContext, { rules, aliases }: Candidates): boolean {
  return sinkComputations(graph, cx, { isCandidate: (node) => rules.isCandidate(node), aliases })
}

/** Nodes whose result must stay an object of its own (rule 7). */
function pinnedNodes(web: ExpressionWeb, candidates: Candidates, cx: PassContext): readonly Node[] {
  const nodes = web.flatMap((expression) => expression.nodes)
  const seen = nodes.filter((node) => candidates.escapes(node.output()))
  const isKnownSeen = web.some(({ known }) => known !== undefined && candidates.escapes(known))
  const pinned = isKnownSeen || seen.length > 1 ? seen : seen.filter(isInLoop)
  if (nodes.length > 1)
    for (const node of pinned) cx.miss(node, 'its result may be seen from outside, beside an equal one')
  return pinned
}

function isInLoop(node: Node): boolean {
  for (let at = node.owningBlock.owningNode; at; at = at.owningBlock.owningNode)
    if (at.kind === 'prim::Loop') return true
  return false
}
