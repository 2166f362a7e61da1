/** A line of source, with what is indented below it: the body of a loop, or the two branches of a condition. */
export interface Statement {
  readonly text: string
  readonly blocks?: readonly Statements[]
}

export type Statements = readonly Statement[]

export interface Method {
  /** `M`, `Sub`, or empty for a function of its own. */
  readonly owner: string
  /** `def forward(self: __torch__.M, …) -> …:` */
  readonly head: string
  readonly body: Statements
  /** `return …`; stays when a program is made smaller. */
  readonly last: string
}

/** Everything that a seed decides. */
export interface Program {
  readonly seed: number
  readonly methods: readonly Method[]
  /** What `freeze` is told to preserve, besides `forward`. */
  readonly preserved: readonly string[]
}

export function printMethods(methods: readonly Method[], owner: string): string {
  const indent = owner === '' ? '' : '  '
  return methods
    .filter((method) => method.owner === owner)
    .map(({ head, body, last }) => `${indent}${head}\n${printBody(body, `${indent}  `)}${indent}  ${last}\n`)
    .join('')
}

function printBody(body: Statements, indent: string): string {
  return body.map((statement) => printStatement(statement, indent)).join('')
}

function printStatement({ text, blocks = [] }: Statement, indent: string): string {
  const [first, second] = blocks.map((block) =>
    block.length === 0 ? `${indent}  pass\n` : printBody(block, `${indent}  `),
  )
  const otherwise = second === undefined ? '' : `${indent}else:\n${second}`
  return `${indent}${text}\n${first ?? ''}${otherwise}`
}
