/**
 * A peer of bench/native.ts: onnxruntime-node, from the folder that PERMAFROST_ORT names.
 *
 *     onnxruntime-runner.js MODEL.onnx INPUT.f32 SIZE THREADS
 */
import { createRequire } from 'node:module'
import { floatsOf, serve, shapeOf } from './protocol.js'

interface OrtTensor {
  readonly data: Float32Array
}

interface OrtSession {
  readonly inputNames: readonly string[]
  readonly outputNames: readonly string[]
  run(feeds: Readonly<Record<string, OrtTensor>>): Promise<Readonly<Record<string, OrtTensor>>>
}

/** What is used of the package, which is none of our dependencies. */
interface Ort {
  readonly env: { readonly versions: { readonly node?: string; readonly common: string } }
  readonly InferenceSession: { create(path: string, options: object): Promise<OrtSession> }
  readonly Tensor: new (type: 'float32', data: Float32Array, sizes: readonly number[]) => OrtTensor
}

const [path = '', input = '', size = '', threads = ''] = process.argv.slice(2)
const ort = createRequire(`${process.env['PERMAFROST_ORT'] ?? '.'}/`)('onnxruntime-node') as Ort
const start = performance.now()
const session = await ort.InferenceSession.create(path, {
  intraOpNumThreads: Number(threads),
  interOpNumThreads: 1,
  graphOptimizationLevel: 'all',
})
const feeds = { [session.inputNames[0] ?? '']: new ort.Tensor('float32', floatsOf(input), shapeOf(size)) }
const run = async (): Promise<Float32Array> =>
  (await session.run(feeds))[session.outputNames[0] ?? '']?.data ?? new Float32Array()
await run()
await serve({
  run,
  greeting: {
    first: performance.now() - start,
    version: `onnxruntime-node ${ort.env.versions.node ?? ort.env.versions.common}`,
  },
})
