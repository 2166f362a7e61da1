import { readdirSync, readFileSync } from 'node:fs'
import { readNpz } from '../../src/archive/npz.ts'
import { load } from '../../src/node/index.ts'
import type { ScriptModule } from '../../src/script/load-module.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'

const folder = new URL('../fixtures/models/', import.meta.url)

/** Names of the models that scripts/fixtures/make-models.py made. */
export const fixtureModels = readdirSync(folder)
  .filter((file) => file.endsWith('.inputs.npz') && !/\.\d+\.inputs/.test(file))
  .map((file) => file.slice(0, -'.inputs.npz'.length))

export function fixturePath(file: string): string {
  return new URL(file, folder).pathname
}

export function loadFixture(name: string): ScriptModule {
  return load(fixturePath(`${name}.pt`))
}

/** The inputs of `forward`, in order, and libtorch's outputs by path. */
export function fixtureValues(name: string): { inputs: Tensor[]; outputs: Map<string, Tensor> } {
  const read = (file: string): Map<string, Tensor> => readNpz(readFileSync(fixturePath(file)))
  return { inputs: [...read(`${name}.inputs.npz`).values()], outputs: read(`${name}.outputs.npz`) }
}

/** libtorch's text of the graph of each method, by method; `form` is `graph` or `inlined`. */
export function fixtureGraphs(name: string, form: 'graph' | 'inlined'): [method: string, text: string][] {
  return readdirSync(folder)
    .filter((file) => file.startsWith(`${name}.`) && file.endsWith(`.${form}.ir`))
    .map((file) => [file.split('.').at(-3) ?? '', readFileSync(fixturePath(file), 'utf8')])
}
