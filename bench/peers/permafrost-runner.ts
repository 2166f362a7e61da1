/**
 * Ourselves, as bench/native.ts runs its peers.
 *
 *     permafrost-runner.js tune|plain MODEL.pt INPUT.f32 SIZE THREADS
 */
import { createSession, load, Tensor } from 'permafrost'
import { floatsOf, serve, shapeOf } from './protocol.js'

const [mode, path = '', input = '', size = '', threads = ''] = process.argv.slice(2)
const start = performance.now()
const session = createSession(load(path), {
  backend: 'onednn',
  threads: Number(threads),
  tune: mode === 'tune',
})
const x = Tensor.from('float32', shapeOf(size), floatsOf(input))
const run = async (): Promise<Float32Array> => {
  const [output] = await session.run([x])
  return output instanceof Tensor ? (output.data as Float32Array) : new Float32Array()
}
await run()
await serve({
  run,
  greeting: { first: performance.now() - start, version: `permafrost, ${session.explain().backend}` },
  farewell: async () => {
    await session.run([x], { profile: true })
    const { plans, interpreted } = session.explain()
    const steps = plans.flatMap((plan) => plan.steps)
    const sum = (of: (plan: (typeof plans)[number]) => number): number =>
      plans.reduce((all, plan) => all + of(plan), 0)
    return {
      steps: steps.length,
      reorders: steps.filter(({ nodes }) => nodes === 'layout::reorder').length,
      onReference: steps.filter(({ backend }) => backend === 'reference').length,
      interpreted: interpreted.length,
      winograd: steps.filter(({ implementation }) => implementation.includes('wino')).length,
      arenaBytes: sum(({ arenaBytes }) => arenaBytes),
      sumBytes: sum(({ sumBytes }) => sumBytes),
      lowerBound: sum(({ lowerBound }) => lowerBound),
    }
  },
})
