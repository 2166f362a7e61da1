/*
 * The syntax tree of TorchScript source: plain data, every node with its UTF-16 range in the source. An
 * expression's range excludes parentheses around it, as libtorch's does (source range tables depend on it).
 */

export interface Ranged {
  readonly start: number
  readonly end: number
}

export interface NameExpr extends Ranged {
  readonly kind: 'name'
  readonly name: string
}
export interface IntExpr extends Ranged {
  readonly kind: 'int'
  /** bigint outside the safe integer range. */
  readonly value: number | bigint
}
export interface FloatExpr extends Ranged {
  readonly kind: 'float'
  readonly value: number
}
export interface ComplexExpr extends Ranged {
  readonly kind: 'complex'
  readonly imag: number
}
export interface StringExpr extends Ranged {
  readonly kind: 'string'
  readonly value: string
}
export interface SingletonExpr extends Ranged {
  readonly kind: 'true' | 'false' | 'none' | 'ellipsis'
}
export interface AttributeExpr extends Ranged {
  readonly kind: 'attribute'
  readonly value: Expr
  readonly name: string
}
export interface KeywordArgument extends Ranged {
  readonly name: string
  readonly value: Expr
}
export interface CallExpr extends Ranged {
  readonly kind: 'call'
  readonly callee: Expr
  readonly args: readonly Expr[]
  readonly kwargs: readonly KeywordArgument[]
}
export interface SliceExpr extends Ranged {
  readonly kind: 'slice'
  readonly lower: Expr | undefined
  readonly upper: Expr | undefined
  readonly step: Expr | undefined
}
export interface SubscriptExpr extends Ranged {
  readonly kind: 'subscript'
  readonly value: Expr
  /** More than one for `x[a, b]`. */
  readonly indices: readonly Expr[]
}
export interface SequenceExpr extends Ranged {
  readonly kind: 'list' | 'tuple'
  readonly elements: readonly Expr[]
}
export interface DictExpr extends Ranged {
  readonly kind: 'dict'
  readonly keys: readonly Expr[]
  readonly values: readonly Expr[]
}
export interface StarredExpr extends Ranged {
  readonly kind: 'starred'
  readonly value: Expr
}
export interface UnaryExpr extends Ranged {
  readonly kind: 'unary'
  readonly operator: '-' | '+' | '~' | 'not'
  readonly operand: Expr
}
export interface BinaryExpr extends Ranged {
  readonly kind: 'binary'
  /** `+`, `//`, `<`, `is not`, `and`, `not in`, … */
  readonly operator: string
  readonly left: Expr
  readonly right: Expr
}
export interface ConditionalExpr extends Ranged {
  readonly kind: 'conditional'
  readonly condition: Expr
  readonly whenTrue: Expr
  readonly whenFalse: Expr
}
export interface ComprehensionExpr extends Ranged {
  readonly kind: 'list-comprehension' | 'dict-comprehension'
  /** Of a dict comprehension the value; its key stands in `key`. */
  readonly element: Expr
  readonly key: Expr | undefined
  readonly target: Expr
  readonly iterable: Expr
}

export type Expr =
  | NameExpr
  | IntExpr
  | FloatExpr
  | ComplexExpr
  | StringExpr
  | SingletonExpr
  | AttributeExpr
  | CallExpr
  | SliceExpr
  | SubscriptExpr
  | SequenceExpr
  | DictExpr
  | StarredExpr
  | UnaryExpr
  | BinaryExpr
  | ConditionalExpr
  | ComprehensionExpr

export interface AssignStmt extends Ranged {
  readonly kind: 'assign'
  /** Several for `a = b = value`. */
  readonly targets: readonly Expr[]
  readonly annotation: Expr | undefined
  readonly value: Expr | undefined
}
export interface AugmentedAssignStmt extends Ranged {
  readonly kind: 'augmented-assign'
  /** `+`, `-`, … without the `=`. */
  readonly operator: string
  readonly target: Expr
  readonly value: Expr
}
export interface ExprStmt extends Ranged {
  readonly kind: 'expr'
  readonly value: Expr
}
export interface IfStmt extends Ranged {
  readonly kind: 'if'
  readonly condition: Expr
  readonly body: readonly Stmt[]
  readonly orelse: readonly Stmt[]
}
export interface WhileStmt extends Ranged {
  readonly kind: 'while'
  readonly condition: Expr
  readonly body: readonly Stmt[]
}
export interface ForStmt extends Ranged {
  readonly kind: 'for'
  readonly target: Expr
  readonly iterable: Expr
  readonly body: readonly Stmt[]
}
export interface WithStmt extends Ranged {
  readonly kind: 'with'
  readonly items: readonly { readonly context: Expr; readonly target: Expr | undefined }[]
  readonly body: readonly Stmt[]
}
export interface ValueStmt extends Ranged {
  readonly kind: 'return' | 'raise'
  readonly value: Expr | undefined
}
export interface AssertStmt extends Ranged {
  readonly kind: 'assert'
  readonly condition: Expr
  readonly message: Expr | undefined
}
export interface DeleteStmt extends Ranged {
  readonly kind: 'delete'
  readonly targets: readonly Expr[]
}
export interface SimpleStmt extends Ranged {
  readonly kind: 'pass' | 'break' | 'continue' | 'import'
}
export interface Parameter extends Ranged {
  readonly name: string
  readonly annotation: Expr | undefined
  readonly default: Expr | undefined
  readonly kwargOnly: boolean
}
export interface FunctionDef extends Ranged {
  readonly kind: 'def'
  readonly name: string
  readonly parameters: readonly Parameter[]
  readonly returns: Expr | undefined
  readonly body: readonly Stmt[]
}
export interface ClassDef extends Ranged {
  readonly kind: 'class'
  readonly name: string
  /** `Module`, `NamedTuple`, `Enum`, `Interface`, `ModuleInterface`, or none. */
  readonly base: string | undefined
  readonly body: readonly Stmt[]
}

export type Stmt =
  | AssignStmt
  | AugmentedAssignStmt
  | ExprStmt
  | IfStmt
  | WhileStmt
  | ForStmt
  | WithStmt
  | ValueStmt
  | AssertStmt
  | DeleteStmt
  | SimpleStmt
  | FunctionDef
  | ClassDef
