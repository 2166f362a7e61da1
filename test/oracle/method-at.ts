import type { GraphFunction } from '../../src/ir/graph-function.ts'
import { ScriptObject } from '../../src/ir/ivalue.ts'

/** The method at `path.of.submodules:method`. */
export function methodAt(root: ScriptObject, path: string): GraphFunction {
  const [modulePath = '', method = ''] = path.split(':')
  let object = root
  for (const name of modulePath === '' ? [] : modulePath.split('.')) {
    const inner = object.slots.get(name)
    if (!(inner instanceof ScriptObject)) throw new TypeError(`no module at ${path}`)
    object = inner
  }
  const fn = object.type.methods.get(method)
  if (fn === undefined) throw new TypeError(`no method at ${path}`)
  return fn
}
