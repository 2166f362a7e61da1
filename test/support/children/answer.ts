import { createSession, load } from '../../../src/node/index.ts'
import { createEnvironment } from '../../../src/runtime/environment.ts'
import { Tensor } from '../../../src/tensor/tensor.ts'
import { contiguousData } from '../../../src/ops/tensor-access.ts'

/** What a session on the default backend says and answers. */
export interface Answer {
  readonly backend: string
  readonly fallback?: string
  readonly warnings: readonly string[]
  readonly implementations: readonly string[]
  readonly elements: readonly number[]
}

/** Runs the model of the path that is the argument on one image. */
function answer(path: string): Answer {
  const warnings: string[] = []
  const environment = createEnvironment({ warn: (message) => warnings.push(message) })
  const session = createSession(load(path), { environment })
  const edge = 20
  const elements = Array.from({ length: 3 * edge * edge }, (_, i) => Math.sin(i * 0.7))
  const outputs = session.runSync([Tensor.from('float32', [1, 3, edge, edge], elements)])
  const { backend, fallback, plans } = session.explain()
  session.dispose()
  return {
    backend,
    ...(fallback !== undefined && { fallback }),
    warnings,
    implementations: plans.flatMap(({ steps }) => steps.map(({ implementation }) => implementation)),
    elements: outputs.flatMap((output) =>
      output instanceof Tensor ? Array.from(contiguousData(output), Number) : [],
    ),
  }
}

process.stdout.write(JSON.stringify(answer(process.argv[2] ?? '')))
