import type { Block, Graph, Node } from '../../src/ir/graph.ts'
import type { FlowInputs } from './counted-runs.ts'

/** A node on a path, or the beginning of a branch. */
type Step = Node | Block

/** A way through a graph of conditions, and which branch it takes at each. */
interface Path {
  readonly steps: readonly Step[]
  readonly branches: ReadonlyMap<Node, number>
}

/**
 * How often the path that the inputs take computes expressions, where each is computed as soon as every way on from
 * there computes it, unless every way to there has it: no placement that is safe computes fewer (theorem 3.1 of "Lazy Code Motion"). It looks at every
 * path of the graph, which holds conditions and straight nodes only; every write changes every operand.
 */
export function optimalEvaluations(
  graph: Graph,
  inputs: FlowInputs,
  isCandidate: (node: Node) => boolean,
): number {
  const paths = pathsThrough(graph.block)
  const taken = paths.find(({ branches }) =>
    [...branches].every(([node, branch]) => branchTaken(graph, node, inputs) === branch),
  )
  const keys = new Set([...graph.nodes()].filter(isCandidate).map(keyOf))
  const steps = stepsOf(graph.block)
  return [...keys].reduce((sum, key) => sum + optimum(key, steps, taken, paths), 0)
}

/** Paths after which there would be too many to look at. */
export const tooManyPaths = 256

export function countPaths(block: Block): number {
  let count = 1
  for (const node of block.nodes())
    if (node.blocks.length > 0) count *= node.blocks.reduce((sum, inner) => sum + countPaths(inner), 0)
  return count
}

function pathsThrough(block: Block): Path[] {
  let paths: Path[] = [{ steps: [block], branches: new Map() }]
  for (const node of block.nodes()) {
    const ways = node.blocks.flatMap((inner, i) =>
      pathsThrough(inner).map(({ steps, branches }): Path => ({
        steps,
        branches: new Map([...branches, [node, i]]),
      })),
    )
    const on: Path[] = [...(ways.length > 0 ? ways : [{ steps: [], branches: new Map<Node, number>() }])]
    paths = paths.flatMap((path) =>
      on.map(({ steps, branches }) => ({
        steps: [...path.steps, ...steps, node],
        branches: new Map([...path.branches, ...branches]),
      })),
    )
  }
  return paths
}

function branchTaken(graph: Graph, condition: Node, inputs: FlowInputs): number {
  return inputs[graph.inputs.indexOf(condition.input())] === 1 ? 0 : 1
}

function keyOf(node: Node): string {
  return `${node.kind} ${node.inputs.map(({ unique }) => unique).join()}`
}

function optimum(
  key: string,
  steps: readonly Step[],
  taken: Path | undefined,
  paths: readonly Path[],
): number {
  const knowing = new Set<Path>()
  let evaluations = 0
  for (const step of steps) {
    const through = paths.filter((path) => path.steps.includes(step))
    if (changesOperands(step)) for (const path of through) knowing.delete(path)
    const isNeeded = through.every((path) =>
      computesNext(key, path.steps.slice(path.steps.indexOf(step) + 1)),
    )
    if (!isNeeded || through.every((path) => knowing.has(path))) continue
    for (const path of through) knowing.add(path)
    if (taken?.steps.includes(step)) evaluations++
  }
  return evaluations
}

/** All steps, each behind those that come before it on any path. */
function stepsOf(block: Block): Step[] {
  const steps: Step[] = [block]
  for (const node of block.nodes()) steps.push(...node.blocks.flatMap(stepsOf), node)
  return steps
}

/** Whether the expression is computed before an operand changes. */
function computesNext(key: string, steps: readonly Step[]): boolean {
  for (const step of steps) {
    if (changesOperands(step)) return false
    if ('kind' in step && keyOf(step) === key) return true
  }
  return false
}

function changesOperands(step: Step): boolean {
  return 'kind' in step && step.kind === 'aten::add_'
}
