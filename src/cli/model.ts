import { basename } from 'node:path'
import type { GraphFunction } from '../ir/graph-function.ts'
import { loadBytes } from '../load.ts'
import { readFileBytes } from '../node/files.ts'
import type { ScriptModule } from '../script/load-module.ts'
import { UsageError } from './errors.ts'

/** The model in a file. */
export function loadModel(path: string): ScriptModule {
  return loadBytes(readFileBytes(path))
}

/** @throws UsageError naming the methods that there are */
export function findMethod(module: ScriptModule, name: string, path: string): GraphFunction {
  const { methods } = module.root.type
  const method = methods.get(name)
  if (method) return method
  throw new UsageError(
    `${basename(path)} has no method '${name}'`,
    {},
    `its methods are: ${[...methods.keys()].join(', ') || 'none'}`,
  )
}
