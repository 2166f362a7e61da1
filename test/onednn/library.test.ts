import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import {
  OneDnnError,
  OneDnnMissingError,
  OneDnnVersionError,
} from '../../src/backends/onednn/binding/errors.ts'
import { openLibrary } from '../../src/backends/onednn/binding/foreign-library.ts'
import { openOneDnn } from '../../src/backends/onednn/binding/library.ts'
import { createOneDnnBackend } from '../../src/backends/onednn/onednn-backend.ts'
import { PermafrostError } from '../../src/errors.ts'
import { load, prepack, save } from '../../src/node/index.ts'
import { createSession, type Session } from '../../src/runtime/session.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { useChild } from '../support/child.ts'
import type { Answer } from '../support/children/answer.ts'
import { noise } from '../support/conv-bn-models.ts'
import { oneDnn } from '../support/session-graphs.ts'

const model = 'test/fixtures/models/cascade.pt'
const folder = mkdtempSync(join(tmpdir(), 'permafrost-library-'))
afterAll(() => rmSync(folder, { recursive: true }))

const hasCompiler = ((): boolean => {
  try {
    execFileSync('gcc', ['--version'], { stdio: 'ignore' })
    return process.platform === 'linux'
  } catch {
    return false
  }
})()

/** The file of the library that tests run on. */
const realPath =
  oneDnn && hasCompiler
    ? /\S*\/libdnnl\.so\S*/.exec(readFileSync('/proc/self/maps', 'latin1'))?.[0]
    : undefined

/** A library of a few functions of our own; the others are the real one's, if it is asked for. */
function stub(name: string, code: string, onTopOfReal = false): string {
  const path = join(folder, `${name}.so`)
  writeFileSync(`${path}.c`, code)
  const real = onTopOfReal ? ['-Wl,--no-as-needed', realPath ?? ''] : []
  execFileSync('gcc', ['-shared', '-fPIC', '-o', path, `${path}.c`, ...real], { stdio: 'ignore' })
  return path
}

const version = (major: number, minor: number): string =>
  `static int v[] = {${major}, ${minor}, 0, 0, 0, 0, 0, 0}; const void* dnnl_version() { return v; }`

function errorOf(action: () => unknown): PermafrostError {
  try {
    action()
  } catch (error) {
    if (error instanceof PermafrostError) return error
    throw error
  }
  return expect.fail('nothing was thrown')
}

function refusalOf(path: string): PermafrostError {
  const error = errorOf(() => openOneDnn({ PERMAFROST_ONEDNN: path }))
  expect(error.advice).toMatch(/install.*, or set PERMAFROST_ONEDNN/)
  expect(error.advice).not.toContain('\n')
  return error
}

describe('a file that is to be oneDNN', () => {
  it('is refused where it does not exist, or is no library', () => {
    const text = join(folder, 'text.so')
    writeFileSync(text, 'no library')
    for (const path of [join(folder, 'missing.so'), text, folder, 'x\0y']) {
      const error = refusalOf(path)
      expect(error).toBeInstanceOf(OneDnnMissingError)
      expect(error.found).toContain(`PERMAFROST_ONEDNN names no library that can be opened: ${path}: `)
    }
  })

  it.skipIf(process.platform !== 'linux')(
    'is refused where it is cut off, before the system loads it',
    () => {
      const whole = readFileSync(realPath ?? process.execPath)
      const path = join(folder, 'cut-off.so')
      for (const size of [whole.length >> 1, 4096, 100]) {
        writeFileSync(path, whole.subarray(0, size))
        const error = refusalOf(path)
        expect(error).toBeInstanceOf(OneDnnVersionError)
        expect(error.found).toMatch(`${path} is cut off: it has ${size} bytes of at least `)
      }
    },
  )

  it.skipIf(process.platform === 'win32')('is refused where it is a pipe that nobody writes to', () => {
    const pipe = join(folder, 'pipe')
    execFileSync('mkfifo', [pipe])
    expect(refusalOf(pipe).found).toContain(`${pipe}: it is no file`)
  })

  it.skipIf(process.platform !== 'linux')('is refused where it is another library', () => {
    const error = refusalOf('libc.so.6')
    expect(error).toBeInstanceOf(OneDnnVersionError)
    expect(error.found).toBe('libc.so.6 is no oneDNN library')
  })

  it.skipIf(!hasCompiler)('is refused where it is of another version', () => {
    for (const [major, minor] of [
      [1, 8],
      [2, 5],
      [4, 0],
    ] as const) {
      const error = refusalOf(stub(`v${major}`, version(major, minor)))
      expect(error).toBeInstanceOf(OneDnnVersionError)
      expect(error.found).toContain(`is oneDNN ${major}.${minor}.0`)
    }
  })

  it.skipIf(!hasCompiler).each([2, 3])('is refused where functions of version %i are missing', (major) => {
    const error = refusalOf(stub(`incomplete${major}`, version(major, 6)))
    expect(error).toBeInstanceOf(OneDnnVersionError)
    expect(error.found).toContain('has no function dnnl_engine_create')
  })

  it.skipIf(!hasCompiler || oneDnn === undefined)('is refused where it runs on no engine here', () => {
    const path = stub('no-engine', 'int dnnl_engine_create() { return 5; }', true)
    expect(refusalOf(path).found).toContain('runtime_error to dnnl_engine_create')
  })
})

describe.skipIf(!hasCompiler || oneDnn === undefined)('a library short of memory', () => {
  const isVersion2 = oneDnn?.description.startsWith('oneDNN 2')
  it.each([
    ['when a kernel is made', 'dnnl_primitive_create'],
    [
      'when a kernel is described',
      isVersion2 ? 'dnnl_primitive_desc_create' : 'dnnl_convolution_forward_primitive_desc_create',
    ],
    ['when memory is described', 'dnnl_memory_create'],
    ['when a kernel runs', 'dnnl_primitive_execute'],
  ])('makes a run fail with an error that says so: %s', (_when, name) => {
    const path = stub(name, `int ${name}() { return 1; }`, true)
    const backend = createOneDnnBackend(openOneDnn({ PERMAFROST_ONEDNN: path }))
    const session = createSession(load(model).root, { backend })
    for (let run = 0; run < 2; run++) {
      const error = errorOf(() => session.runSync([noise([1, 3, 16, 16], 1)]))
      expect(error).toBeInstanceOf(OneDnnError)
      expect(error.found).toBe(`oneDNN answered out_of_memory to ${name}`)
      expect(error.advice).toContain('smaller inputs')
    }
    session.dispose()
  })
})

/** What makes primitive descriptors, in version 2 and in version 3. */
const describers = ['', 'reorder_', 'concat_', 'binary_', 'matmul_', 'reduction_'].concat(
  ['convolution', 'eltwise', 'pooling', 'inner_product', 'softmax', 'batch_normalization'].map(
    (name) => `${name}_forward_`,
  ),
)

/** Counts what is made and given back, and passes it on, whatever the arguments are. */
const counting = `#define _GNU_SOURCE
#include <dlfcn.h>
static int live;
int permafrost_live() { return live; }
#define NEXT(name) static void (*next)(); if (!next) next = (void (*)())dlsym(RTLD_NEXT, #name)
#define PASS_ON *(int*)__builtin_apply(next, __builtin_apply_args(), 128)
#define MAKES(name) int name(void* a) { NEXT(name); int status = PASS_ON; live += status == 0; return status; }
#define GIVES_BACK(name) int name(void* a) { NEXT(name); live -= a != 0; return PASS_ON; }
MAKES(dnnl_memory_create) GIVES_BACK(dnnl_memory_destroy)
MAKES(dnnl_primitive_create) GIVES_BACK(dnnl_primitive_destroy)
${describers.map((name) => `MAKES(dnnl_${name}primitive_desc_create)`).join('\n')}
GIVES_BACK(dnnl_primitive_desc_destroy)
MAKES(dnnl_primitive_attr_create) GIVES_BACK(dnnl_primitive_attr_destroy)
MAKES(dnnl_post_ops_create) GIVES_BACK(dnnl_post_ops_destroy)`

describe.skipIf(!hasCompiler || oneDnn === undefined)('native objects', () => {
  const image = (edge: number): Tensor => noise([1, 3, edge, edge], edge)

  function open(plans?: number): { session: Session; count: () => number } {
    const path = stub('counting', counting, true)
    const backend = createOneDnnBackend(openOneDnn({ PERMAFROST_ONEDNN: path }))
    const count = openLibrary(path).function('int permafrost_live()')
    return { session: createSession(load(model).root, { backend, ...(plans && { plans }) }), count }
  }

  it('are all given back when a session is disposed of, and none are made by a second run', () => {
    const { session, count } = open()
    const before = count()
    session.runSync([image(16)])
    const live = count()
    expect(live).toBeGreaterThan(before)
    for (let run = 0; run < 5; run++) session.runSync([image(16)])
    expect(count()).toBe(live)
    session.runSync([image(20)])
    expect(count()).toBeGreaterThan(live)
    session.dispose()
    expect(count()).toBe(before)
  })

  it('are given back with the plan that was not used for longest', () => {
    const { session, count } = open(1)
    session.runSync([image(16)])
    const live = count()
    for (const edge of [20, 24, 28, 16]) session.runSync([image(edge)])
    expect(count()).toBe(live)
    session.dispose()
  })
})

describe('a process', { timeout: 120_000 }, () => {
  const child = useChild('answer')
  const answer = async (environment: Readonly<Record<string, string>>, path = model): Promise<Answer> =>
    (await child([path], { environment })) as Answer

  it('answers by the reference kernels where the library is missing, and says how to install it', async () => {
    const { backend, fallback, warnings, elements } = await answer({
      PERMAFROST_ONEDNN: '/nowhere/libdnnl.so',
    })
    expect(backend).toBe('reference kernels')
    expect(fallback).toMatch(/^PERMAFROST_ONEDNN names no library.*: \/nowhere\/libdnnl\.so: .*install.*$/)
    expect(warnings).toEqual([fallback])
    expect(elements.length).toBeGreaterThan(0)
  })

  it.skipIf(!hasCompiler)(
    'answers by the reference kernels where the library is of another version',
    async () => {
      const { backend, fallback } = await answer({ PERMAFROST_ONEDNN: stub('v4', version(4, 1)) })
      expect(backend).toBe('reference kernels')
      expect(fallback).toContain('is oneDNN 4.1.0')
    },
  )

  it.skipIf(oneDnn === undefined)(
    'answers the same whatever instruction set the library may use',
    async () => {
      const wanted = await answer({ PERMAFROST_ONEDNN: '/nowhere/libdnnl.so' })
      const used = new Set<string>()
      for (const isa of ['SSE41', 'AVX2', 'ALL']) {
        const { backend, implementations, elements } = await answer({ DNNL_MAX_CPU_ISA: isa })
        expect(backend).toContain('oneDNN')
        used.add(implementations.join())
        expectClose(elements, wanted.elements)
      }
      expect(used.size).toBeGreaterThan(1)
    },
  )

  it.skipIf(oneDnn === undefined)(
    'packs weights anew that are packed for another instruction set, and says so',
    async () => {
      const path = join(folder, 'prepacked.pt')
      save(prepack(load(model), [noise([1, 3, 20, 20], 1)]), path)
      const [here, other] = [await answer({}, path), await answer({ DNNL_MAX_CPU_ISA: 'SSE41' }, path)]
      expect(here.warnings).toEqual([])
      expect(other.warnings).toEqual([
        expect.stringMatching(/packed anew: they are for oneDNN .* instruction set/),
      ])
      expectClose(other.elements, here.elements)
    },
  )
})

/** Sums in another order; of the largest element. */
const tolerance = 1e-5

function expectClose(found: readonly number[], wanted: readonly number[]): void {
  expect(found).toHaveLength(wanted.length)
  const scale = Math.max(...wanted.map(Math.abs))
  expect(Math.max(...found.map((x, i) => Math.abs(x - (wanted[i] ?? NaN)))) / scale).toBeLessThan(tolerance)
}
