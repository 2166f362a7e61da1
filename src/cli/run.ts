import { performance } from 'node:perf_hooks'
import { writeNpz } from '../archive/npz.ts'
import type { IValue } from '../ir/ivalue.ts'
import { printType } from '../ir/type-printer.ts'
import { writeFileAtomically } from '../node/files.ts'
import { createEnvironment } from '../runtime/environment.ts'
import { runMethod } from '../runtime/module-runner.ts'
import type { ScriptModule } from '../script/load-module.ts'
import { typeOfTensor } from '../ir/type-of-value.ts'
import { plainTensor } from '../tensor/convert-layout.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { UsageError } from './errors.ts'
import { inputOptions, readInputs, type GivenInputs } from './inputs.ts'
import { findMethod, loadModel } from './model.ts'
import { flattenOutputs } from '../runtime/outputs.ts'
import type { Verb } from './verb.ts'

export const runVerb: Verb = {
  name: 'run',
  summary: 'runs a method and shows or writes its outputs',
  usage:
    'run MODEL [--method forward] [--input V]... [--inputs FILE.npz] [-o OUT.npz] [--backend reference] [--repeat N]',
  options: {
    ...inputOptions,
    method: { type: 'string' },
    output: { type: 'string', short: 'o' },
    backend: { type: 'string' },
    repeat: { type: 'string' },
  },
  run(args, out) {
    args.expectPositionals(1, 1, this.usage)
    const backend = args.text('backend') ?? 'reference'
    if (backend !== 'reference')
      throw new UsageError(`there is no backend '${backend}'`, {}, 'there is: reference')
    const repeat = args.number('repeat', 1) ?? 1
    const path = args.positionals[0] as string
    const method = args.text('method') ?? 'forward'
    const model = loadModel(path)
    const inputs = readInputs(args)
    const times: number[] = []
    let outputs = new Map<string, Tensor>()
    for (let i = 0; i < Math.floor(repeat); i++) {
      const start = performance.now()
      outputs = flattenOutputs(runModel(model, method, inputs, (text) => out.message(text)))
      times.push(performance.now() - start)
    }
    const target = args.text('output')
    if (target !== undefined) writeFileAtomically(target, writeNpz(outputs))
    if (out.json)
      out.document({
        method,
        backend,
        milliseconds: times,
        outputs: [...outputs].map(describe),
        ...(target !== undefined && { output: target }),
      })
    for (const entry of outputs) out.print(summaryLine(entry))
    out.print(`${method} took ${times.map((time) => time.toFixed(1)).join(', ')} ms`)
    return 0
  },
}

/** Runs a method of a model on inputs as given on the command line. */
export function runModel(
  model: ScriptModule,
  method: string,
  inputs: GivenInputs,
  message: (text: string) => void,
): IValue {
  findMethod(model, method, model.name)
  const environment = createEnvironment({
    warn: (text) => message(`warning: ${text}`),
    print: (text) => message(text.trimEnd()),
  })
  return runMethod(model.root, method, inputs, environment)
}

function describe([name, tensor]: readonly [string, Tensor]): {
  name: string
  dtype: string
  sizes: readonly number[]
  first: readonly (number | string)[]
} {
  return { name, dtype: tensor.dtype, sizes: tensor.sizes, first: firstElements(tensor, 8) }
}

function summaryLine([name, tensor]: readonly [string, Tensor]): string {
  const more = tensor.numel > 6 ? ', …' : ''
  const elements = firstElements(tensor, 6).map((element) =>
    typeof element === 'number' ? Number(element.toPrecision(6)) : element,
  )
  return `${name} : ${printType(typeOfTensor(tensor))} = [${elements.join(', ')}${more}]`
}

/** The first elements in row-major order. */
function firstElements(given: Tensor, count: number): (number | string)[] {
  const tensor = plainTensor(given)
  const elements: (number | string)[] = []
  for (let i = 0; i < Math.min(count, tensor.numel); i++) {
    let rest = i
    let offset = tensor.storageOffset
    for (let dim = tensor.dim - 1; dim >= 0; dim--) {
      const size = tensor.sizes[dim] as number
      offset += (rest % size) * (tensor.strides[dim] as number)
      rest = Math.floor(rest / size)
    }
    const element = tensor.data[offset] ?? 0
    elements.push(typeof element === 'bigint' ? element.toString() : element)
  }
  return elements
}
