import { describe, expect, it } from 'vitest'
import { openOneDnn } from '../../src/backends/onednn/binding/library.ts'
import { createOneDnnBackend } from '../../src/backends/onednn/onednn-backend.ts'
import { freeze, load, prepack } from '../../src/node/index.ts'
import { packConstants } from '../../src/node/prepack.ts'
import { loadBytes } from '../../src/load.ts'
import { contiguousData } from '../../src/ops/tensor-access.ts'
import { createSession } from '../../src/runtime/session.ts'
import type { ScriptModule } from '../../src/script/load-module.ts'
import { saveModule } from '../../src/script/save-module.ts'
import { Tensor } from '../../src/tensor/tensor.ts'
import { noise } from '../support/conv-bn-models.ts'
import { ModuleSource } from '../support/modules.ts'
import { oneDnn } from '../support/session-graphs.ts'

const image = (): Tensor => noise([1, 3, 20, 20], 1)
const index = 'permafrost/prepacked.json'
const content = 'permafrost/prepacked.bin'

/** The answer with what a file brings along, how much had to be packed, and why if all of it. */
function answerWith(
  module: ScriptModule,
  extra: ScriptModule['extra'],
): [number[], number, string | undefined] {
  let packed = 0
  const backend = createOneDnnBackend(openOneDnn(), () => packed++)
  const mismatch = backend.usePrepacked(extra)
  const session = createSession(module.root, { backend })
  const outputs = session.runSync([image()])
  session.dispose()
  return [outputs.flatMap((output) => Array.from(contiguousData(output as Tensor), Number)), packed, mismatch]
}

describe.skipIf(oneDnn === undefined)('packed constants that a file brings along', () => {
  const model = load('test/fixtures/models/cascade.pt')
  const frozen = { ...model, root: freeze(model.root).module }
  const module = loadBytes(Buffer.concat(saveModule(prepack(frozen, [image()]))))
  const [wanted, none, noMismatch] = answerWith(module, module.extra)
  const text = JSON.parse(Buffer.from(module.extra.get(index)?.bytes ?? []).toString()) as Record<
    string,
    unknown
  >
  const entries = text['entries'] as Record<string, unknown>[]
  const [entry] = entries
  const withIndex = (bytes: string | Uint8Array): ScriptModule['extra'] =>
    new Map([...module.extra, [index, { ...module.extra.get(index), bytes: Buffer.from(bytes) }]])
  const changed = (change: Record<string, unknown>): string => JSON.stringify({ ...text, ...change })

  it('are used', () => {
    expect([none, noMismatch]).toEqual([0, undefined])
  })

  it.each([
    ['no JSON', '{'],
    ['null', 'null'],
    ['a number', '1'],
    ['of another format', changed({ format: 3 })],
    ['of a format without checksums', changed({ format: 1 })],
    ['no entries', changed({ entries: undefined })],
    ['entries that are none', changed({ entries: [null, 3, 'x'] })],
    ['an entry without a place', changed({ entries: [{ ...entry, at: null }] })],
    ['an entry at text', changed({ entries: [{ ...entry, at: '0' }] })],
    ['an entry before the bytes', changed({ entries: [{ ...entry, at: -64 }] })],
    ['an entry beyond the bytes', changed({ entries: [{ ...entry, bytes: 2 ** 40 }] })],
    ['an entry of another length', changed({ entries: [{ ...entry, bytes: 4 }] })],
    ['an entry without a checksum', changed({ entries: [{ ...entry, checksum: undefined }] })],
    ['an entry of another checksum', changed({ entries: [{ ...entry, checksum: 1 }] })],
    ['entries that overlap', changed({ entries: entries.map((one) => ({ ...one, at: 0 })) })],
    ['two entries in one place', changed({ entries: [...entries, entry] })],
    ['another library', changed({ library: '2.7.0' })],
    ['another instruction set', changed({ isa: 1 })],
  ])('are packed anew, and why is said, where the index is %s', (_what, bytes) => {
    const [found, packed, mismatch] = answerWith(module, withIndex(bytes))
    expect(packed).toBeGreaterThan(0)
    expect(mismatch).toMatch(/./)
    expect(found).toEqual(wanted)
  })

  it.each([
    ['null', null],
    ['text', 'fast'],
    ['of no numbers', { a: 'x', b: null }],
  ])('are used where measurements are %s', (_what, measurements) => {
    expect(answerWith(module, withIndex(changed({ measurements })))).toEqual([wanted, 0, undefined])
  })

  it.each([
    ['zeros', (bytes: Uint8Array) => bytes.fill(0), /the checksum/],
    [
      'changed in one bit',
      (bytes: Uint8Array) => bytes.map((byte, i) => (i === 5 ? byte ^ 1 : byte)),
      /the checksum/,
    ],
    ['cut off', (bytes: Uint8Array) => bytes.subarray(0, 100), /there are 100 bytes of at least \d+/],
    ['none', () => new Uint8Array(), /there are 0 bytes/],
  ])('are packed anew, and why is said, where the bytes are %s', (_what, change, reason) => {
    const bytes = change(Uint8Array.from(module.extra.get(content)?.bytes ?? []))
    const [found, packed, mismatch] = answerWith(module, new Map([...module.extra, [content, { bytes }]]))
    expect(packed).toBeGreaterThan(0)
    expect(mismatch).toMatch(reason)
    expect(found).toEqual(wanted)
  })

  it.each([index, content])('are packed anew, and why is said, where %s is missing', (missing) => {
    const without = new Map([...module.extra].filter(([path]) => path !== missing))
    const [found, packed, mismatch] = answerWith(module, without)
    expect(packed).toBeGreaterThan(0)
    expect(mismatch).toBe(`${missing}, which belongs to them, is missing in the file`)
    expect(found).toEqual(wanted)
  })
})

describe.skipIf(oneDnn === undefined)('packing', () => {
  const source = new ModuleSource(`class M(Module):
  __parameters__ = []
  __buffers__ = []
  count : int
  seen : Tensor
  training : bool
  def forward(self: __torch__.M, x: Tensor) -> Tensor:
    self.count = torch.add(self.count, 1)
    _0 = torch.add_(self.seen, 1)
    return torch.add(torch.relu(x), self.count)
`)

  it('leaves a module whose runs change it as it is', () => {
    const root = source.make('M', { count: 5, seen: Tensor.from('float32', [1], [7]), training: false })
    const given = { root, name: 'm', version: 10, extra: new Map() }
    const { module, constants, reason } = packConstants(given, [Tensor.from('float32', [2], [1, 2])])
    expect(module.root).toBe(root)
    expect(root.slots.get('count')).toBe(5)
    expect(Array.from((root.slots.get('seen') as Tensor).data, Number)).toEqual([7])
    expect(constants).toBe(0)
    expect(reason).toMatch(/planned in parts around prim::\w+ \(/)
  })
})
