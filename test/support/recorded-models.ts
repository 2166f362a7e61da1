import { readFileSync } from 'node:fs'
import { readNpz } from '../../src/archive/npz.ts'
import { load } from '../../src/node/index.ts'
import type { ScriptModule } from '../../src/script/load-module.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'

const folder = new URL('../fixtures/recorded/', import.meta.url)

/** One call as scripts/fixtures/make-recorded-models.py describes it. */
interface CallRecord {
  readonly method: string
  readonly arguments: readonly unknown[]
  readonly inputs?: string
  readonly outputs?: string
  readonly texts?: Readonly<Record<string, string | null>>
  readonly error?: { readonly class: string; readonly message: string }
}

interface ModelRecord {
  readonly file: string
  readonly summary: string
  readonly calls: readonly CallRecord[]
}

interface Manifest {
  readonly models: Readonly<Record<string, ModelRecord>>
}

/** A call of a method with what libtorch answered. */
export interface RecordedCall {
  readonly method: string
  readonly arguments: readonly unknown[]
  readonly outputs: ReadonlyMap<string, Tensor>
  /** Strings and Nones of the result by path. */
  readonly texts: Readonly<Record<string, string | null>>
  readonly error: CallRecord['error']
}

export interface RecordedModel {
  readonly name: string
  readonly summary: string
  readonly methods: readonly string[]
  /** Calls of one module, one after the other. */
  readonly calls: () => RecordedCall[]
  readonly load: () => ScriptModule
  /** libtorch's texts by `path:method`: `graph` has every class of submodules, `inlined` the model's own methods. */
  readonly graphs: (form: 'graph' | 'inlined') => [path: string, text: string][]
}

function path(file: string): string {
  return new URL(file, folder).pathname
}

function arrays(file: string | undefined): ReadonlyMap<string, Tensor> {
  return file === undefined ? new Map() : readNpz(readFileSync(path(file)))
}

function isArray(value: unknown): value is { npz: string } {
  return typeof value === 'object' && value !== null && 'npz' in value
}

function readCall(call: CallRecord): RecordedCall {
  const inputs = arrays(call.inputs)
  return {
    method: call.method,
    arguments: call.arguments.map((value) => (isArray(value) ? inputs.get(value.npz) : value)),
    outputs: arrays(call.outputs),
    texts: call.texts ?? {},
    error: call.error,
  }
}

function readGraphs(file: string): [path: string, text: string][] {
  const parts = readFileSync(path(file), 'utf8').split(/^## /m).slice(1)
  return parts.map((part) => {
    const [title = ''] = part.split('\n', 1)
    return [title, part.slice(title.length + 1).trimEnd()]
  })
}

const manifest = JSON.parse(readFileSync(path('manifest.json'), 'utf8')) as Manifest

/** Small models of every kind with what libtorch 1.13 says about them. */
export const recordedModels = Object.entries(manifest.models).map(([name, model]): RecordedModel => ({
  name,
  summary: model.summary,
  methods: [...new Set(model.calls.map((call) => call.method))],
  calls: () => model.calls.map(readCall),
  load: () => load(path(model.file)),
  graphs: (form) => readGraphs(`${name}.${form}.ir`),
}))
