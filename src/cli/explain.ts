import type { PlanReport, StepReport } from '../runtime/backend.ts'
import type { Explanation } from '../runtime/session.ts'
import { formatBytes } from './format.ts'

const widest = 60

/** What ran where, in which layout and why not elsewhere, a line for each step; with times, those that took longest first. */
export function explanationLines(explanation: Explanation, profiled: boolean): string[] {
  const { backend, fallback, unfrozen, plans, interpreted } = explanation
  return [
    `backend: ${backend}`,
    ...(fallback === undefined ? [] : [`fallback: ${fallback}`]),
    ...(unfrozen === undefined ? [] : [`not frozen: ${unfrozen}`]),
    ...plans.flatMap((plan) => [
      `plan for ${plan.inputs}: ${plan.steps.length} steps`,
      ...memoryLines(plan),
      ...(profiled ? profileLines(plan.steps) : plan.steps.map((step) => stepLine(step))),
    ]),
    ...interpreted.map(({ node, reason }) => `interpreted: ${node}: ${reason}`),
  ]
}

/** None for the reference kernels, whose tensors lie where the collector puts them. */
function memoryLines({ arenaBytes, sumBytes, lowerBound, constantBytes }: PlanReport): string[] {
  if (arenaBytes === 0 && constantBytes === 0) return []
  return [
    `  arena ${formatBytes(arenaBytes)}, of ${formatBytes(sumBytes)} one behind the other; no plan takes less than ${formatBytes(lowerBound)}; packed weights ${formatBytes(constantBytes)}`,
  ]
}

function profileLines(steps: readonly StepReport[]): string[] {
  const total = steps.reduce((sum, { milliseconds = 0 }) => sum + milliseconds, 0)
  const sorted = [...steps].sort((a, b) => (b.milliseconds ?? 0) - (a.milliseconds ?? 0))
  return [
    ...sorted.map((step) => {
      const { milliseconds = 0 } = step
      const share = total > 0 ? (100 * milliseconds) / total : 0
      return `  ${milliseconds.toFixed(3).padStart(9)} ms ${share.toFixed(1).padStart(5)} %${stepLine(step)}`
    }),
    `  ${total.toFixed(3).padStart(9)} ms in ${steps.length} steps`,
  ]
}

function stepLine({ nodes, value, backend, implementation, layout, reason }: StepReport): string {
  const what = nodes.length > widest ? `${nodes.slice(0, widest - 1)}…` : nodes
  const why = reason === undefined ? '' : ` (${reason})`
  return `  %${value} = ${what}  ${backend} ${implementation} ${layout}${why}`
}
