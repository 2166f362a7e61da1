import type { Value } from '../ir/graph.ts'
import type { EmitContext } from './emit-context.ts'
import type { CallExpr } from './syntax.ts'

/** `fork(f, x)`: needs closures, which are not compiled yet. */
export function emitFork(cx: EmitContext, call: CallExpr): Value {
  return cx.fail("'fork' is not supported yet", call)
}
