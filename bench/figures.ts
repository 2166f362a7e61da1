/**
 * Time and peak memory of `inspect` and `freeze` on resnet50 (100 MB), each in a process of its own, several times in
 * turn: medians, as a table and as JSON. Makes the model with torchvision if it is not there.
 *
 *     npm run figures
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { median } from './statistics.js'

const python = process.env['PERMAFROST_PYTHON'] ?? '/usr/bin/python3'
const folder = '.oracle'
const model = `${folder}/resnet50.figures.pt`
const frozen = `${folder}/resnet50.figures.frozen.pt`
const repeats = 5

interface Measurement {
  readonly seconds: number
  readonly peakMegabytes: number
}

function makeModel(): void {
  if (existsSync(model)) return
  mkdirSync(folder, { recursive: true })
  const script = `import torch, torchvision; torch.jit.script(torchvision.models.resnet50(weights=None).eval()).save('${model}')`
  spawnSync(python, ['-W', 'ignore', '-c', script], { stdio: 'inherit' })
}

/** Runs the built command in a process of its own; `time` of the shell is not everywhere, so the child reports itself. */
function measure(args: readonly string[]): Measurement {
  const start = performance.now()
  const script = `
    process.on('exit', () => process.stderr.write('\\npeak ' + process.resourceUsage().maxRSS))
    process.argv = [process.execPath, 'permafrost', ...${JSON.stringify(args)}]
    await import('${new URL('../../bin/permafrost.js', import.meta.url).href}')`
  const run = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  })
  const seconds = (performance.now() - start) / 1000
  const peak = /peak (\d+)$/.exec(run.stderr)?.[1]
  if (run.status !== 0 || peak === undefined) throw new TypeError(`${args.join(' ')} failed: ${run.stderr}`)
  return { seconds, peakMegabytes: Number(peak) / 1000 }
}

makeModel()
const commands = { inspect: ['inspect', model], freeze: ['freeze', model, '-o', frozen] } as const
const runs: Record<keyof typeof commands, Measurement[]> = { inspect: [], freeze: [] }
for (let i = 0; i < repeats; i++)
  for (const name of ['inspect', 'freeze'] as const) runs[name].push(measure(commands[name]))

const fileMegabytes = statSync(model).size / 1e6
const rows = (['inspect', 'freeze'] as const).map((name) => ({
  command: `permafrost ${name}`,
  seconds: median(runs[name].map(({ seconds }) => seconds)),
  peakMegabytes: median(runs[name].map(({ peakMegabytes }) => peakMegabytes)),
}))
writeFileSync(`${folder}/figures.json`, `${JSON.stringify({ fileMegabytes, repeats, rows }, undefined, 2)}\n`)
for (const { command, seconds, peakMegabytes } of rows)
  process.stdout.write(
    `${command.padEnd(20)} ${seconds.toFixed(2)} s  ${peakMegabytes.toFixed(0)} MB peak, file ${fileMegabytes.toFixed(0)} MB (${(peakMegabytes / fileMegabytes).toFixed(1)}×), medians of ${repeats}\n`,
  )
