import type { GraphEditor } from '../ir/graph-editor.ts'
import type { Block, Graph, Node, Value } from '../ir/graph.ts'
import { IntT } from '../ir/types.ts'
import { eliminateDeadCode } from './eliminate-dead-code.ts'
import { definePass, type PassContext } from './pass.ts'
import { constantBool, constantInt } from './support/constants.ts'
import { loopBodyOffset, loopInputOffset } from './support/control-flow.ts'

/** `kMaxBodyRepeats`: loops of as many turns stay. */
const manyTurns = 64
/** Loops within loops multiply: no more nodes than this are made of them in one graph. */
const mostCopies = 20_000

/**
 * Writes out loops that turn a known number of times, after `UnrollConstantLoops` in
 * torch/csrc/jit/passes/loop_unrolling.cpp:
 *
 * 1. It takes loops whose trip count is a constant below 64 and whose condition is true at first and behind every turn.
 * 2. Each turn is a copy of the body, with the turn's number for the counter and what the turn before handed on for
 *    what is carried.
 * 3. Inner loops come first, so that outer ones copy what has become of them.
 * 4. Loops of more turns stay. libtorch makes eight turns of them at a time, which makes the graph larger.
 * 5. What has become dead goes.
 */
export function unrollLoops(graph: Graph, cx: PassContext): void {
  if (new Unroller(cx).run(graph.block)) eliminateDeadCode(graph, cx)
}

export const unrollLoopsPass = definePass({
  name: 'unroll-loops',
  summary: 'Writes out loops that turn a known number of times.',
  run: unrollLoops,
})

class Unroller {
  readonly #cx: PassContext
  #copies = 0

  constructor(cx: PassContext) {
    this.#cx = cx
  }

  run(block: Block): boolean {
    let changed = false
    for (const node of block.nodes()) {
      for (const inner of node.blocks) changed = this.run(inner) || changed
      if (node.kind === 'prim::Loop') changed = this.#unroll(node) || changed
    }
    return changed
  }

  #unroll(loop: Node): boolean {
    const turns = turnsOf(loop)
    if (turns === undefined) return false
    if (turns >= manyTurns) {
      this.#cx.miss(loop, `${turns} turns are too many`)
      return false
    }
    const copies = turns * sizeOf(loop.block())
    if (this.#copies + copies > mostCopies) {
      this.#cx.miss(loop, `${turns} turns would add ${copies} nodes`)
      return false
    }
    this.#copies += copies
    return this.#cx.rewrite(loop, `it turns ${turns} times`, (edit) => writeOut(edit, loop, turns))
  }
}

/** How often the loop turns, if that is known and nothing ends it early. */
function turnsOf(loop: Node): number | undefined {
  const turns = constantInt(loop.input(0))
  const goesOn =
    constantBool(loop.input(1)) === true && constantBool(loop.block().outputs[0] as Value) === true
  return goesOn && turns !== undefined ? Math.max(turns, 0) : undefined
}

function sizeOf(block: Block): number {
  let size = 0
  for (const node of block.nodes()) size += node.blocks.reduce((sum, inner) => sum + sizeOf(inner), 1)
  return size
}

function writeOut(edit: GraphEditor, loop: Node, turns: number): void {
  const body = loop.block()
  let carried = loop.inputs.slice(loopInputOffset)
  for (let turn = 0; turn < turns; turn++) {
    const local = new Map<Value, Value>()
    const [counter, ...places] = body.inputs
    if (counter !== undefined && counter.uses.length > 0) local.set(counter, edit.insertConstant(turn, IntT))
    places.forEach((place, i) => local.set(place, carried[i] as Value))
    const map = (value: Value): Value => local.get(value) ?? value
    for (const node of body.nodes()) {
      const copy = edit.insertNode(edit.copyNode(node, map))
      node.outputs.forEach((output, i) => local.set(output, copy.output(i)))
    }
    carried = body.outputs.slice(loopBodyOffset).map(map)
  }
  loop.outputs.forEach((output, i) => edit.replaceAllUses(output, carried[i] as Value))
  edit.destroy(loop)
}
