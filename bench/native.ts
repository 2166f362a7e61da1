/**
 * Sessions on oneDNN beside libtorch and onnxruntime-node: each in a process of its own, run in turn, medians and ratios of
 * medians, time to the first answer, peak memory, and errors beside eager libtorch. Appends a line of JSON for each model to
 * `.oracle/native.jsonl` and prints a table.
 *
 *     npm run bench:native -- [--threads 1,2] [--rounds 12] [NAME …]      all models when none is named
 *
 * Peers that are not there are left out: PERMAFROST_PYTHON (torch 1.13), PERMAFROST_PYTHON2 (torch 2.13) and PERMAFROST_ORT (a
 * folder with onnxruntime-node installed) name them. With PERMAFROST_ONEDNN3=1 ours run on version 3 of oneDNN too, as
 * .ci/onednn3 has it.
 */
import { spawnSync } from 'node:child_process'
import { appendFileSync, existsSync, mkdirSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { floatsOf, type Greeting } from './peers/protocol.js'
import { Runner } from './peers/runner.js'
import { median, relativeError } from './statistics.js'

const python = process.env['PERMAFROST_PYTHON'] ?? '/usr/bin/python3'
const python2 = process.env['PERMAFROST_PYTHON2'] ?? '/tmp/permafrost-torch2/bin/python'
const ort = process.env['PERMAFROST_ORT'] ?? ''
const folder = '.oracle/native'
const log = '.oracle/native.jsonl'

const allModels = [
  ...['cascade', 'squeezenet1_1', 'shufflenet_v2_x1_0', 'mobilenet_v2', 'mobilenet_v3_large'],
  ...['efficientnet_b0', 'resnet18', 'resnet50', 'googlenet', 'inception_v3', 'densenet121', 'vgg16'],
  ...['convnext_tiny', 'vit_b_16'],
]

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    threads: { type: 'string', default: '1,2' },
    rounds: { type: 'string', default: '12' },
    peers: { type: 'string', default: '' },
  },
})

interface Peer {
  readonly name: string
  readonly available: boolean
  readonly command: (model: string, threads: number) => readonly string[]
}

function sizeOf(model: string): string {
  return model === 'inception_v3' ? '299' : '224'
}

function input(model: string, threads: number): readonly string[] {
  return [`${folder}/${model}.f32`, sizeOf(model), String(threads)]
}

function script(name: string): string {
  return new URL(`peers/${name}-runner.js`, import.meta.url).pathname
}

function torch(version: string, program: string, mode: 'freeze' | 'ofi'): Peer {
  return {
    name: `torch ${version} ${mode}`,
    available: spawnSync(program, ['-c', 'import torch']).status === 0,
    command: (model, threads) => [
      program,
      ...['-W', 'ignore', 'bench/peers/torch-runner.py', mode, `${folder}/${model}.pt`],
      ...input(model, threads),
    ],
  }
}

function permafrost(
  name: string,
  mode: 'plain' | 'tune',
  file = (model: string) => `${folder}/${model}.pt`,
): Peer {
  return {
    name,
    available: true,
    command: (model, threads) => [
      process.execPath,
      script('permafrost'),
      mode,
      file(model),
      ...input(model, threads),
    ],
  }
}

/** In a Debian of its own, which sees this folder and no other. */
function onVersion3(name: string, mode: 'plain' | 'tune'): Peer {
  return {
    name,
    available: process.env['PERMAFROST_ONEDNN3'] === '1',
    command: (model, threads) => [
      '.ci/onednn3',
      ...['node', 'dist/bench/peers/permafrost-runner.js', mode, `${folder}/${model}.pt`],
      ...input(model, threads),
    ],
  }
}

/** Frozen, packed and measured beforehand: what a user would ship. */
function prepacked(model: string): string {
  const [source, result] = [`${folder}/${model}.pt`, `${folder}/${model}.prepacked.pt`]
  const args = [
    'freeze',
    source,
    '-o',
    result,
    '--prepack',
    'onednn',
    '--tune',
    '--input',
    `${folder}/${model}.npy`,
  ]
  if (!existsSync(result))
    spawnSync(process.execPath, ['bin/permafrost.js', ...args], { stdio: ['ignore', 'ignore', 'inherit'] })
  return result
}

const peers: readonly Peer[] = [
  permafrost('ours', 'plain'),
  permafrost('ours tuned', 'tune'),
  permafrost('ours prepacked', 'plain', prepacked),
  onVersion3('ours oneDNN 3', 'plain'),
  onVersion3('ours tuned oneDNN 3', 'tune'),
  {
    name: 'onnxruntime-node',
    available: existsSync(`${ort}/node_modules/onnxruntime-node`),
    command: (model, threads) => [
      process.execPath,
      script('onnxruntime'),
      `${folder}/${model}.onnx`,
      ...input(model, threads),
    ],
  },
  torch('1.13', python, 'ofi'),
  torch('2.13', python2, 'freeze'),
  torch('2.13', python2, 'ofi'),
]

interface Result extends Greeting {
  readonly peer: string
  readonly median: number
  readonly best: number
  /** Largest difference from eager libtorch 1.13, over its largest element. */
  readonly error: number
  readonly [more: string]: unknown
}

async function beginning(model: string, threads: number): Promise<[Runner, Greeting][]> {
  const chosen = peers.filter(
    ({ name, available }) => available && (!values.peers || values.peers.split(',').includes(name)),
  )
  const runners: [Runner, Greeting][] = []
  // One after the other: the time to the first answer is measured on a machine that does nothing else.
  for (const { name, command } of chosen) {
    const runner = new Runner(name, command(model, threads), { OMP_NUM_THREADS: String(threads) })
    try {
      runners.push([runner, await runner.greeting()])
    } catch (error) {
      console.error(String(error))
      runner.kill()
    }
  }
  return runners
}

async function measure(model: string, threads: number): Promise<readonly Result[]> {
  const runners = await beginning(model, threads)
  const times = new Map<Runner, number[]>(runners.map(([runner]) => [runner, []]))
  const probes = await Promise.all([...runners.slice(0, 1)].map(([runner]) => runner.run(1)))
  const runsEach = Math.min(Math.max(Math.round(150 / (probes[0]?.[0] ?? 100)), 1), 20)
  for (let round = 0; round < Number(values.rounds); round++)
    for (const [runner] of runners) {
      // The first of each turn finds the caches full of another's data.
      const [, ...rest] = await runner.run(runsEach + 1)
      times.get(runner)?.push(...rest)
    }
  const wanted = floatsOf(`${folder}/${model}.expected.f32`)
  const results: Result[] = []
  for (const [runner, greeting] of runners) {
    const output = `${folder}/output.f32`
    const farewell = await runner.end(output)
    const all = times.get(runner) ?? []
    const error = relativeError(floatsOf(output), wanted)
    const timing = { median: median(all), best: Math.min(...all) }
    results.push({ peer: runner.name, ...timing, error, ...greeting, ...farewell })
  }
  return results
}

function print(model: string, threads: number, results: readonly Result[]): void {
  const theirs = results.filter(({ peer }) => !peer.startsWith('ours'))
  const fastest = Math.min(...theirs.map((result) => result.median))
  console.log(`\n${model}, ${threads} thread${threads > 1 ? 's' : ''}`)
  for (const { peer, median: middle, best, first, peak, error } of results)
    console.log(
      `  ${peer.padEnd(18)} ${middle.toFixed(2).padStart(9)} ms  best ${best.toFixed(2).padStart(8)}  ` +
        `${(middle / fastest).toFixed(2)}×  first ${first.toFixed(0).padStart(6)} ms  ` +
        `${Number(peak).toFixed(0).padStart(5)} MB  error ${error.toExponential(1)}`,
    )
}

mkdirSync(folder, { recursive: true })
const models = positionals.length > 0 ? positionals : allModels
const missing = models.filter((name) => !existsSync(`${folder}/${name}.expected.f32`))
if (missing.length > 0)
  spawnSync(python, ['-W', 'ignore', 'bench/peers/make-models.py', folder, ...missing], { stdio: 'inherit' })
for (const model of models)
  for (const threads of values.threads.split(',').map(Number)) {
    const results = await measure(model, threads)
    appendFileSync(log, `${JSON.stringify({ model, threads, date: new Date().toISOString(), results })}\n`)
    print(model, threads, results)
  }
