import { buildLegacy, call, checkGlobal } from './pickle-globals.ts'
import type { PickleMachine } from './pickle-machine.ts'
import { opcodes, type OpcodeName } from './pickle-opcodes.ts'
import { resolvePersistentId } from './pickle-tensors.ts'
import {
  PickleDict,
  PickleFloat,
  PickleGlobal,
  PickleList,
  PickleObject,
  PickleTuple,
  type PickleValue,
} from './pickle-values.ts'
import { decodeUtf8 } from './utf8.ts'

type Instruction = (machine: PickleMachine) => void

const newestProtocol = 4
/** An int of TorchScript has 64 bits. */
const maxIntegerBytes = 8

const instructionOf: Record<OpcodeName, Instruction> = {
  PROTO: (m) => {
    const protocol = m.readUint8()
    if (protocol > newestProtocol)
      m.fail(`pickle protocol ${protocol} is newer than any that TorchScript uses`)
  },
  FRAME: (m) => void m.readUint64(),
  STOP: (m) => (m.result = m.pop()),

  NONE: (m) => m.push(null),
  NEWTRUE: (m) => m.push(true),
  NEWFALSE: (m) => m.push(false),
  BININT: (m) => m.push(m.readInt32()),
  BININT1: (m) => m.push(m.readUint8()),
  BININT2: (m) => m.push(m.readUint16()),
  LONG1: (m) => m.push(readLong(m, m.readUint8())),
  LONG4: (m) => m.push(readLong(m, m.readUint32())),
  BINFLOAT: (m) => m.push(new PickleFloat(m.readFloat64())),
  BINUNICODE: (m) => m.push(decodeUtf8(m.readBytes(m.readUint32()))),
  SHORT_BINUNICODE: (m) => m.push(decodeUtf8(m.readBytes(m.readUint8()))),
  BINUNICODE8: (m) => m.push(decodeUtf8(m.readBytes(m.readUint64()))),
  BINSTRING: (m) => m.push(decodeUtf8(m.readBytes(m.readUint32()))),
  SHORT_BINSTRING: (m) => m.push(decodeUtf8(m.readBytes(m.readUint8()))),
  BINBYTES: (m) => m.push(m.readBytes(m.readUint32())),
  SHORT_BINBYTES: (m) => m.push(m.readBytes(m.readUint8())),
  BINBYTES8: (m) => m.push(m.readBytes(m.readUint64())),

  MARK: (m) => m.mark(),
  EMPTY_TUPLE: (m) => m.push(new PickleTuple([])),
  TUPLE: (m) => m.push(new PickleTuple(m.popToMark())),
  TUPLE1: (m) => m.push(new PickleTuple([m.pop()])),
  TUPLE2: (m) => pushTuple(m, 2),
  TUPLE3: (m) => pushTuple(m, 3),
  EMPTY_LIST: (m) => m.push(new PickleList()),
  LIST: (m) => m.push(new PickleList(m.popToMark())),
  APPEND: (m) => appendTo(m, [m.pop()]),
  APPENDS: (m) => appendTo(m, m.popToMark()),
  EMPTY_DICT: (m) => m.push(new PickleDict()),
  DICT: (m) => {
    const items = m.popToMark()
    m.push(new PickleDict())
    setItems(m, items)
  },
  SETITEM: (m) => {
    const value = m.pop()
    setItems(m, [m.pop(), value])
  },
  SETITEMS: (m) => setItems(m, m.popToMark()),

  BINPUT: (m) => m.remember(m.readUint8(), m.top()),
  LONG_BINPUT: (m) => m.remember(m.readUint32(), m.top()),
  MEMOIZE: (m) => m.remember(m.memo.length, m.top()),
  BINGET: (m) => m.push(m.recall(m.readUint8())),
  LONG_BINGET: (m) => m.push(m.recall(m.readUint32())),

  GLOBAL: (m) => m.push(checkGlobal(m, decodeUtf8(m.readLine()), decodeUtf8(m.readLine()))),
  STACK_GLOBAL: (m) => {
    const name = m.pop()
    const module = m.pop()
    if (typeof module !== 'string' || typeof name !== 'string')
      m.fail('a global has a name that is no string')
    else m.push(checkGlobal(m, module, name))
  },
  NEWOBJ: (m) => {
    const args = m.pop()
    const cls = m.pop()
    if (!(cls instanceof PickleGlobal) || !(args instanceof PickleTuple))
      m.fail('an object is made of no class')
    else m.push(new PickleObject(cls, args))
  },
  BUILD: (m) => {
    const state = m.pop()
    const object = m.pop()
    if (!(object instanceof PickleObject)) return m.fail('a state is set on what is no object')
    object.state = state
    m.push(buildLegacy(m, object))
  },
  REDUCE: (m) => {
    const args = m.pop()
    const callee = m.pop()
    if (!(callee instanceof PickleGlobal)) m.fail('the pickle calls what is no function')
    else m.push(call(m, callee, args))
  },
  BINPERSID: (m) => m.push(resolvePersistentId(m, m.pop())),
}

/** By opcode. */
export const instructions: readonly (Instruction | undefined)[] = tabulate()

function tabulate(): (Instruction | undefined)[] {
  const table = new Array<Instruction | undefined>(256)
  for (const [name, opcode] of Object.entries(opcodes)) table[opcode] = instructionOf[name as OpcodeName]
  return table
}

function pushTuple(machine: PickleMachine, length: number): void {
  const items = new Array<PickleValue>(length)
  for (let i = length - 1; i >= 0; i--) items[i] = machine.pop()
  machine.push(new PickleTuple(items))
}

function appendTo(machine: PickleMachine, items: readonly PickleValue[]): void {
  const list = machine.top()
  if (!(list instanceof PickleList)) return machine.fail('the pickle appends to what is no list')
  for (const item of items) list.items.push(item)
}

function setItems(machine: PickleMachine, items: readonly PickleValue[]): void {
  const dict = machine.top()
  if (!(dict instanceof PickleDict)) return machine.fail('the pickle sets items of what is no dict')
  if (items.length % 2 !== 0) return machine.fail('a dict has a key without a value')
  for (let i = 0; i < items.length; i += 2) dict.set(items[i] as PickleValue, items[i + 1] as PickleValue)
}

/** A little-endian two's complement integer. */
function readLong(machine: PickleMachine, length: number): number | bigint {
  if (length > maxIntegerBytes) return machine.fail(`an int of ${length} bytes is larger than TorchScript's`)
  let value = 0n
  const bytes = machine.readBytes(length)
  for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i] ?? 0)
  const signed = BigInt.asIntN(8 * length, value)
  const narrow = Number(signed)
  return Number.isSafeInteger(narrow) ? narrow : signed
}
