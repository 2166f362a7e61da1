import { zipSync } from 'fflate'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { PickleFloat, PickleTuple } from '../../src/archive/pickle-values.ts'
import { writePickle } from '../../src/archive/pickle-writer.ts'
import { writeNpz } from '../../src/archive/npz.ts'
import { readZip } from '../../src/archive/zip-reader.ts'
import { writeFileAtomically } from '../../src/node/files.ts'
import { Tensor } from '../../src/tensor/tensor.ts'
import {
  directoryHeader,
  fixture,
  globalOpcode,
  pickleBytes,
  textOpcode,
  withDirectoryField,
  withEntries,
  zipBytes,
} from '../support/archives.ts'
import { permafrost, type CommandResult } from '../support/command.ts'
import { fixturePath } from '../support/fixture-models.ts'

let folder: string
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'permafrost-bad-'))
  // Loads the command's code, which would else count as time of the first case.
  await permafrost('freeze', join(folder, 'no.pt'), '-o', join(folder, 'no.frozen.pt'))
})
afterAll(() => {
  rmSync(folder, { recursive: true })
})

const real = fixture('scripted.pt')

/** Freezes a file with that content: every stage reads it, and there would be an output. */
async function freeze(content: Uint8Array): Promise<CommandResult> {
  const input = join(folder, 'bad.pt')
  writeFileSync(input, content)
  const result = await permafrost('freeze', input, '-o', join(folder, 'bad.frozen.pt'))
  expect(readdirSync(folder)).toEqual(['bad.pt'])
  rmSync(input)
  return result
}

/** `os.system("…")`, as a pickle that would run a program. */
const runsProgram = pickleBytes(
  globalOpcode('os', 'system'),
  'MARK',
  textOpcode('touch /tmp/permafrost-was-here'),
  'TUPLE',
  'REDUCE',
)

/** Lists in lists, deeper than any model has them. */
const deepPickle = pickleBytes(
  ...new Array<'EMPTY_LIST'>(5000).fill('EMPTY_LIST'),
  ...new Array<'APPEND'>(4999).fill('APPEND'),
)

/** A list that is its own element. */
const loopPickle = pickleBytes('EMPTY_LIST', 'BINPUT', 0, 'BINGET', 0, 'APPEND')

function wrongDirectory(): Uint8Array {
  return withDirectoryField(real, 'data.pkl', { headerOffset: 7 })
}

function declaresMore(): Uint8Array {
  const header = directoryHeader(real, 'data.pkl')
  const copy = new Uint8Array(real)
  new DataView(copy.buffer).setUint32(header + 24, 0xfffffff0, true)
  return copy
}

/** The cascade with the sizes (16, 3, 3, 3) and strides (27, 9, 3, 1) of its first weight replaced. */
function withLayout(sizes: readonly number[], strides: readonly number[]): Uint8Array {
  const cascade = new Uint8Array(readFileSync(fixturePath('cascade.pt')))
  const tuple = (items: readonly number[]): string => `(${items.map(pickledInt).join('')}t`
  const data = Buffer.from(entryOf(cascade, 'data.pkl')).toString('latin1')
  const before = tuple([16, 3, 3, 3])
  expect(data).toContain(before)
  const changed = data.replace(before, tuple(sizes)).replace(tuple([27, 9, 3, 1]), tuple(strides))
  return withEntries(cascade, { 'data.pkl': new Uint8Array(Buffer.from(changed, 'latin1')) })
}

/** As pickles have them: BININT1 where it fits, else BININT. */
function pickledInt(value: number): string {
  if (value >= 0 && value < 256) return `K${String.fromCharCode(value)}`
  const bytes = Buffer.alloc(4)
  bytes.writeInt32LE(value)
  return `J${bytes.toString('latin1')}`
}

function entryOf(archive: Uint8Array, name: string): Uint8Array {
  for (const [path, entry] of readZip(archive)) if (path.endsWith(`/${name}`)) return entry.read()
  return expect.fail(`no entry ${name}`)
}

const most = 2 ** 31 - 1

/** An archive in which `data.pkl` is deflated and inflates to that many zeros. */
function deflated(bytes: number): Uint8Array {
  const zeros: [Uint8Array, { level: 9 }] = [new Uint8Array(bytes), { level: 9 }]
  return zipSync({
    'm/data.pkl': zeros,
    'm/code/__torch__.py': new Uint8Array(),
    'm/version': Uint8Array.of(0x33),
    'm/constants.pkl': entryOf(real, 'constants.pkl'),
  })
}

/** The same, but both of its headers declare 1000 bytes. */
function deflatedFurther(bytes: number): Uint8Array {
  const zip = withDirectoryField(deflated(bytes), 'data.pkl', { size: 1000 })
  new DataView(zip.buffer).setUint32(22, 1000, true)
  return zip
}

const cases: readonly (readonly [string, () => Uint8Array, RegExp])[] = [
  ['an empty file', () => new Uint8Array(), /empty/],
  ['a truncated zip', () => real.subarray(0, real.length >> 1), /truncated|cut off|end/i],
  ['a wrong central directory', wrongDirectory, /header/],
  ['a CRC mismatch', () => withDirectoryField(real, 'data.pkl', { crc32: 1 }), /checksum/],
  ['a missing entry', () => withEntries(real, { 'data.pkl': undefined }), /data\.pkl/],
  ['a zip bomb', () => deflated(70_000_000), /zip bomb/],
  [
    'a zip bomb that declares less',
    () => deflatedFurther(20_000_000),
    /does not give the declared 1000 bytes/,
  ],
  ['an entry that declares more than it holds', declaresMore, /declares 4294967280/],
  [
    'names that lead out of the folder',
    () => zipBytes({ 'a/../../etc/passwd': 'x', 'a/code/__torch__.py': '' }),
    /\.\./,
  ],
  ['a foreign global', () => withEntries(real, { 'data.pkl': runsProgram }), /os\.system/],
  [
    'an unknown opcode',
    () => withEntries(real, { 'data.pkl': Uint8Array.of(0x80, 2, 0xff, 0x2e) }),
    /opcode/,
  ],
  ['a memo loop', () => withEntries(real, { 'data.pkl': loopPickle }), /contains itself/],
  ['deep nesting', () => withEntries(real, { 'data.pkl': deepPickle }), /deep|nest/],
  [
    'a pickle that holds no module',
    () => withEntries(real, { 'data.pkl': writePickle(new PickleTuple([new PickleFloat(1)])).bytes }),
    /no module/,
  ],
  ['a storage shorter than its tensor', () => withEntries(real, { 'data/0': new Uint8Array(2) }), /storage/],
  ['a negative size', () => withLayout([-16, 3, 3, 3], [27, 9, 3, 1]), /size that is negative/],
  ['a negative stride', () => withLayout([16, 3, 3, 3], [27, 9, 3, -1]), /stride that is negative/],
  ['sizes beyond the storage', () => withLayout([17, 3, 3, 3], [27, 9, 3, 1]), /reaches to element/],
  ['sizes that overflow', () => withLayout([most, most, most, most], [0, 0, 0, 0]), /elements|bytes|large/],
  ['strides that overflow', () => withLayout([16, 3, 3, 3], [most, most, most, most]), /reaches to element/],
  [
    'a source with a syntax error',
    () => withEntries(real, { 'code/__torch__.py': 'class Broken(Module:\n' }),
    /expected|unexpected/,
  ],
  [
    'source nested beyond measure',
    () =>
      withEntries(real, {
        'code/__torch__.py': `class A(Module):\n  def f(self) -> int:\n    return ${'('.repeat(5000)}1${')'.repeat(5000)}\n`,
      }),
    /nested|no class|does not define/,
  ],
  ['a state_dict', () => fixture('state-dict.pt'), /state_dict/],
  ['a legacy checkpoint', () => fixture('checkpoint.pt'), /torch\.save|pickle/],
  ['an exported program', () => fixture('exported.pt2'), /\.pt2|export/],
  [
    'an ONNX file',
    () => Uint8Array.from([8, 7, 18, 7, ...Buffer.from('pytorch'), 26, 3, ...Buffer.from('1.0')]),
    /ONNX/,
  ],
  ['some text', () => Uint8Array.from(Buffer.from('hello, this is no model\n')), /no TorchScript archive/],
]

describe('a file that is no good', () => {
  it.each(cases)('gives one typed error, exit code 3 and no output: %s', async (_name, make, message) => {
    const file = make()
    const start = process.cpuUsage()
    const { code, stdout, stderr } = await freeze(file)
    const { user, system } = process.cpuUsage(start)
    expect(stderr).toMatch(/^\w+Error: /)
    expect(stderr).toMatch(message)
    expect(code).toBe(3)
    expect(stdout).toBe('')
    // Of processor time, in microseconds: others may be using the machine.
    expect(user + system).toBeLessThan(1e6)
  })

  it('runs no program that a pickle names', () => {
    expect(existsSync('/tmp/permafrost-was-here')).toBe(false)
  })

  it('is a directory, or not there at all', async () => {
    expect(await permafrost('inspect', folder)).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('directory') as string,
    })
    expect(await permafrost('inspect', join(folder, 'no.pt'))).toMatchObject({ code: 3 })
  })
})

describe('an output that cannot be written', () => {
  it('gives exit code 3 and leaves nothing behind', async () => {
    const cascade = fixturePath('cascade.pt')
    const nowhere = join(folder, 'no', 'such', 'folder', 'out.pt')
    expect(await permafrost('freeze', cascade, '-o', nowhere)).toMatchObject({ code: 3 })
    const taken = join(folder, 'taken')
    mkdirSync(taken)
    expect(await permafrost('freeze', cascade, '-o', taken)).toMatchObject({ code: 3 })
    expect(readdirSync(folder)).toEqual(['taken'])
    rmSync(taken, { recursive: true })
  })

  it.each([
    ['ENOSPC', 3, 'FileError: cannot write to stdout: no space left on the device\n'],
    ['EPIPE', 0, ''],
  ])('ends the process in good order where it is stdout: %s', async (code, exitCode, message) => {
    // The handler stays with the process from the first command on.
    await permafrost('--help')
    const exits: unknown[] = []
    const exit = vi.spyOn(process, 'exit').mockImplementation((status) => {
      exits.push(status)
      throw new RangeError('exit')
    })
    const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
    try {
      const error = Object.assign(new TypeError('write'), { code })
      expect(() => process.stdout.emit('error', error)).toThrow('exit')
      expect(exits).toEqual([exitCode])
      expect(write.mock.calls.map(([text]) => text).join('')).toBe(message)
    } finally {
      exit.mockRestore()
      write.mockRestore()
    }
  })
})

describe('inputs that do not fit', () => {
  const npz = (arrays: Readonly<Record<string, Tensor>>): string => {
    const path = join(folder, 'inputs.npz')
    writeFileAtomically(path, writeNpz(new Map(Object.entries(arrays))))
    return path
  }
  const image = Tensor.zeros('float32', [1, 3, 8, 8])

  it.each([
    ['too few', {}, /'x'/],
    ['too many', { '0': image, '1': image }, /./],
    ['a wrong name', { y: image }, /'y'/],
    ['a wrong dtype', { '0': Tensor.zeros('int64', [1, 3, 8, 8]) }, /int64|Long|float/],
    ['wrong channels', { '0': Tensor.zeros('float32', [1, 4, 8, 8]) }, /3 channels/],
    ['a wrong rank', { '0': Tensor.zeros('float32', [3]) }, /./],
    ['too small an image', { '0': Tensor.zeros('float32', [1, 3, 2, 2]) }, /size/],
  ])('are refused with exit code 3: %s', async (_name, arrays: Readonly<Record<string, Tensor>>, message) => {
    const { code, stderr } = await permafrost('run', fixturePath('cascade.pt'), '--inputs', npz(arrays))
    expect(stderr).toMatch(/^\w+Error: /)
    expect(stderr).toMatch(message)
    expect(code).toBe(3)
  })

  it('may be no arrays at all', async () => {
    const path = join(folder, 'x.npy')
    writeFileSync(path, 'no array')
    expect(await permafrost('run', fixturePath('cascade.pt'), '--input', path)).toMatchObject({ code: 3 })
    expect(await permafrost('run', fixturePath('cascade.pt'), '--inputs', path)).toMatchObject({ code: 3 })
  })
})

describe('an operator without a kernel', () => {
  const custom = new URL('../fixtures/recorded/custom-operator.scripted.pt', import.meta.url).pathname

  it('does not keep the model from being frozen and saved', async () => {
    const output = join(folder, 'custom.frozen.pt')
    expect(await permafrost('freeze', custom, '-o', output)).toMatchObject({ code: 0 })
    expect((await permafrost('graph', output)).stdout).toMatch(/ = \w+::\w+/)
    rmSync(output)
  })

  it('is named when the model is run, with the place of the call', async () => {
    const inputs = custom.replace('.pt', '.0.inputs.npz')
    const { code, stderr } = await permafrost('run', custom, '--inputs', inputs)
    expect(code).toBe(3)
    expect(stderr).toMatch(/^UnsupportedOperatorError: no kernel for \w+::\w+/)
    expect(stderr).toMatch(/\.py:\d+/)
  })
})
