import { parseSchema } from '../ir/schema-parser.ts'
import { schemaKey, type FunctionSchema } from '../ir/schema.ts'
import { schemasNamed } from '../ops/schema-table.ts'

/** What an operator meant up to some file version, told with the operators of today. */
interface Upgrader {
  /** The last file version in which it was so. */
  readonly last: number
  readonly schema: string
  /** TorchScript: a function of the schema's arguments. */
  readonly body: string
}

/** Until version 3 a quotient of integers was an integer, rounded towards zero. */
function integerDivision(suffix: string, operands: string, isFloating: string, rest = ''): string {
  return `
def upgraded(${operands}):
  if ${isFloating}:
    quotient = torch.div${suffix}(self, other${rest})
  else:
    quotient = torch.div${suffix}(self, other, rounding_mode="trunc"${rest})
  return quotient
`
}

const tensorIsFloating = 'torch.is_floating_point(self) or torch.is_floating_point(other)'
const numberIsFloating = 'torch.is_floating_point(self) or isinstance(other, float)'

const factoryTypes = 'ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None'
const factoryArguments = 'dtype=dtype, layout=layout, device=device, pin_memory=pin_memory'

/** Until version 4 `full` without a dtype gave floats whatever it was filled with. */
const full = `
def upgraded(size, fill_value, dtype, layout, device, pin_memory):
  if torch.__is__(dtype, None):
    fill_value = float(fill_value)
  else:
    pass
  return torch.full(size, fill_value, ${factoryArguments})
`

/** Until version 7 and 8 the number of steps could be left out. */
function hundredSteps(name: string, base: string): string {
  const call = (steps: string): string => `torch.${name}(start, end, ${steps}${base}, ${factoryArguments})`
  return `
def upgraded(start, end, steps${base}, dtype, layout, device, pin_memory):
  if torch.__is__(steps, None):
    line = ${call('100')}
  else:
    line = ${call('unchecked_cast(int, steps)')}
  return line
`
}

/** Facts after torch/csrc/jit/operator_upgraders/version_map.cpp. */
const upgraders: readonly Upgrader[] = [
  {
    last: 3,
    schema: 'aten::div.Tensor(Tensor self, Tensor other) -> Tensor',
    body: integerDivision('', 'self, other', tensorIsFloating),
  },
  {
    last: 3,
    schema: 'aten::div.Scalar(Tensor self, Scalar other) -> Tensor',
    body: integerDivision('', 'self, other', numberIsFloating),
  },
  {
    last: 3,
    schema: 'aten::div_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)',
    body: integerDivision('_', 'self, other', tensorIsFloating),
  },
  {
    last: 3,
    schema: 'aten::div_.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)',
    body: integerDivision('_', 'self, other', numberIsFloating),
  },
  {
    last: 3,
    schema: 'aten::div.out(Tensor self, Tensor other, *, Tensor(a!) out) -> Tensor(a!)',
    body: integerDivision(
      '',
      'self, other, out',
      `${tensorIsFloating} or torch.is_floating_point(out)`,
      ', out=out',
    ),
  },
  { last: 4, schema: `aten::full(int[] size, Scalar fill_value, *, ${factoryTypes}) -> Tensor`, body: full },
  {
    last: 7,
    schema: `aten::linspace(Scalar start, Scalar end, int? steps=None, *, ${factoryTypes}) -> Tensor`,
    body: hundredSteps('linspace', ''),
  },
  {
    last: 8,
    schema: `aten::logspace(Scalar start, Scalar end, int? steps=None, float base=10., *, ${factoryTypes}) -> Tensor`,
    body: hundredSteps('logspace', ', base'),
  },
  {
    last: 9,
    schema: 'aten::gelu(Tensor self) -> Tensor',
    body: `
def upgraded(self):
  return torch.gelu(self, approximate="none")
`,
  },
]

interface OldOperator {
  readonly last: number
  readonly schema: FunctionSchema
  readonly body: string
}

let oldOperators: ReadonlyMap<string, OldOperator> | undefined
let bodies: ReadonlyMap<FunctionSchema, string> | undefined

function oldOperatorsByKey(): ReadonlyMap<string, OldOperator> {
  return (oldOperators ??= new Map(
    upgraders.map(({ last, schema: text, body }) => {
      const schema = parseSchema(text)
      return [schemaKey(schema), { last, schema, body }] as const
    }),
  ))
}

/** The schemas of an operator as code of a file version means them; old ones are to be replaced by their upgraders. */
export function schemasInVersion(name: string, version: number): readonly FunctionSchema[] {
  const schemas = schemasNamed(name)
  if (version > newestUpgraded) return schemas
  return schemas.map((schema) => {
    const old = oldOperatorsByKey().get(schemaKey(schema))
    return old !== undefined && version <= old.last ? old.schema : schema
  })
}

const newestUpgraded = Math.max(...upgraders.map(({ last }) => last))

/** What an operator with an old schema means today: the source of a function called `upgraded`. */
export function upgraderOf(schema: FunctionSchema): string | undefined {
  bodies ??= new Map([...oldOperatorsByKey().values()].map((old) => [old.schema, old.body]))
  return bodies.get(schema)
}
