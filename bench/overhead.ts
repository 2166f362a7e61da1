/**
 * What a step of a plan costs outside oneDNN: a chain of 200 softmaxes over 4 elements, by session and by calls of the
 * library's own function in a loop in C, in turn. Needs gcc and libdnnl-dev for the C side; without them the whole cost of a
 * step is printed.
 *
 *     npm run bench:overhead
 */
import { spawnSync } from 'node:child_process'
import { appendFileSync, existsSync, mkdirSync } from 'node:fs'
import { createSession, load, Tensor } from 'permafrost'
import { median } from './statistics.js'

const python = process.env['PERMAFROST_PYTHON'] ?? '/usr/bin/python3'
const folder = '.oracle/native'
const model = `${folder}/chain.pt`
const program = `${folder}/softmax-chain`
const runs = 2000

function make(): void {
  mkdirSync(folder, { recursive: true })
  if (!existsSync(model)) {
    const script = `
import torch
class Chain(torch.nn.Module):
    def forward(self, x):
        for _ in range(200):
            x = torch.softmax(x, 1)
        return x
torch.jit.trace(Chain(), torch.zeros(1, 4)).save('${model}')`
    spawnSync(python, ['-W', 'ignore', '-c', script], { stdio: 'inherit' })
  }
  spawnSync('gcc', ['-O2', 'bench/softmax-chain.c', '-o', program, '-ldnnl'], { stdio: 'ignore' })
}

make()
const session = createSession(load(model), { backend: 'onednn', threads: 1 })
const x = Tensor.from('float32', [1, 4], Float32Array.of(1, 2, 3, 4))
session.runSync([x])
const steps = session.explain().plans.reduce((sum, plan) => sum + plan.steps.length, 0)

function ourStep(): number {
  const start = performance.now()
  for (let i = 0; i < runs; i++) session.runSync([x])
  return ((performance.now() - start) / runs / steps) * 1000
}

function itsStep(): number {
  const run = spawnSync(program, [String(runs * 200)], {
    encoding: 'utf8',
    env: { ...process.env, OMP_NUM_THREADS: '1' },
  })
  return run.status === 0 ? Number(run.stdout) : NaN
}

const ours: number[] = []
const its: number[] = []
for (let round = 0; round < 9; round++) {
  ours.push(ourStep())
  its.push(itsStep())
}
const result = { steps, ours: median(ours), inC: median(its), outside: median(ours) - median(its) }
appendFileSync('.oracle/overhead.jsonl', `${JSON.stringify({ date: new Date().toISOString(), ...result })}\n`)
console.log(
  `microseconds a step: ${result.ours.toFixed(3)} in a session, ${result.inC.toFixed(3)} in C, ${result.outside.toFixed(3)} outside oneDNN`,
)
