/**
 * What freezing is for, measured: milliseconds of a call of
 *
 *     a  the module as it is: weights are read from attributes and reordered at every call
 *     b  the frozen module, numerics untouched: weights are packed once
 *     c  frozen and folded: batch norms are gone into weights
 *     d  the same, without reorders of activations between kernels
 *
 * in turn in one process, on oneDNN with one thread. a to c bring every result back to row-major memory. Appends lines of
 * JSON to `.oracle/claim.jsonl`; the models are those of bench/native.ts.
 *
 *     npm run bench:claim -- [NAME …]
 */
import { spawnSync } from 'node:child_process'
import { appendFileSync, existsSync, mkdirSync } from 'node:fs'
import { createSession, freeze, load, Tensor } from 'permafrost'
import { floatsOf } from './peers/protocol.js'
import { median, relativeError } from './statistics.js'

const folder = '.oracle/native'
const rounds = 15
const names = process.argv.slice(2)
const models =
  names.length > 0 ? names : ['cascade', 'squeezenet1_1', 'resnet18', 'resnet50', 'mobilenet_v2', 'googlenet']

type Session = ReturnType<typeof createSession>

function sessionsOf(path: string): Readonly<Record<string, Session>> {
  const plain = { backend: 'onednn', freeze: false, rowMajorActivations: true } as const
  return {
    a: createSession(load(path), plain),
    b: createSession(freeze(load(path).root, { optimizeNumerics: false }).module, plain),
    c: createSession(freeze(load(path).root).module, plain),
    d: createSession(load(path), { backend: 'onednn' }),
  }
}

async function answer(session: Session, x: Tensor): Promise<Float32Array> {
  const [output] = await session.run([x])
  return output instanceof Tensor ? (output.data as Float32Array) : new Float32Array()
}

function reordersIn(session: Session): number {
  const steps = session.explain().plans.flatMap((plan) => plan.steps)
  return steps.filter(({ nodes }) => nodes === 'layout::reorder').length
}

async function measure(model: string): Promise<object> {
  const sessions = Object.entries(sessionsOf(`${folder}/${model}.pt`))
  const size = model === 'inception_v3' ? 299 : 224
  const x = Tensor.from('float32', [1, 3, size, size], floatsOf(`${folder}/${model}.f32`))
  const wanted = floatsOf(`${folder}/${model}.expected.f32`)
  const times = new Map<string, number[]>()
  const errors = new Map<string, number>()
  for (const [name, session] of sessions) errors.set(name, relativeError(await answer(session, x), wanted))
  for (let round = 0; round < rounds; round++)
    for (const [name, session] of sessions)
      for (let i = 0; i < 3; i++) {
        const start = performance.now()
        await session.run([x])
        const time = performance.now() - start
        // The first finds the caches full of another's data.
        if (i > 0) times.set(name, [...(times.get(name) ?? []), time])
      }
  return Object.fromEntries(
    sessions.map(([name, session]) => [
      name,
      { median: median(times.get(name) ?? []), error: errors.get(name), reorders: reordersIn(session) },
    ]),
  )
}

mkdirSync(folder, { recursive: true })
const missing = models.filter((name) => !existsSync(`${folder}/${name}.expected.f32`))
if (missing.length > 0) {
  const python = process.env['PERMAFROST_PYTHON'] ?? '/usr/bin/python3'
  spawnSync(python, ['-W', 'ignore', 'bench/peers/make-models.py', folder, ...missing], { stdio: 'inherit' })
}
for (const model of models) {
  const result = await measure(model)
  appendFileSync(
    '.oracle/claim.jsonl',
    `${JSON.stringify({ model, date: new Date().toISOString(), ...result })}\n`,
  )
  console.log(model)
  console.table(result)
}
