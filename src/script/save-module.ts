import { OriginalRange, unknownOrigin, type SourceRangeRecord } from '../archive/source-ranges.ts'
import type { PickleValue } from '../archive/pickle-values.ts'
import { writeArchive } from '../archive/archive-writer.ts'
import { ArchiveSource } from './archive-source.ts'
import type { ScriptModule } from './load-module.ts'
import { Pickler } from './pickler.ts'
import type { SourceText } from './source-text.ts'

/** Code of older versions has been compiled to today's operators, of which this version speaks. */
const writtenVersion = 10

/**
 * The bytes of a `.pt` that `torch.jit.load` accepts, in pieces; tensors' bytes are not copied. The same module gives
 * the same bytes.
 *
 * @throws ModuleSaveError for what an archive cannot hold
 */
export function saveModule(module: ScriptModule): Uint8Array[] {
  const source = new ArchiveSource()
  const files = source.print(module.root.type)
  const pickler = new Pickler(source.annotation)
  const data = pickler.convert(module.root)
  // Objects name classes that no source mentions, such as those behind interfaces, and their code names constants.
  source.print(module.root.type)
  const constants: PickleValue[] = []
  while (constants.length < source.constants.length) {
    constants.push(...source.constants.slice(constants.length).map((value) => pickler.convert(value)))
    source.print(module.root.type)
  }
  return writeArchive({
    name: module.name,
    data,
    version: Math.max(module.version, writtenVersion),
    constants,
    code: new Map(
      [...files].map(([path, text]) => [path, { text: text.toString(), sourceRanges: rangesOf(text) }]),
    ),
    extra: new Map([...module.extra].map(([path, file]) => [path, file.bytes])),
  })
}

/** Where each line came from, for those that know. */
function rangesOf(text: SourceText): SourceRangeRecord[] {
  return text.ranges.map(({ offset, range }) => {
    const original = range?.writtenAt
    return { offset, range: original instanceof OriginalRange ? original : unknownOrigin }
  })
}
