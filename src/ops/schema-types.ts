import type { Device, IValue, Scalar } from '../ir/ivalue.ts'
import type { Tensor } from '../tensor/tensor.ts'

/*
 * The TypeScript types of an operator's arguments, computed from its schema text: a misspelt argument name in a
 * kernel does not compile. Write list defaults without blanks (`[0,1]`), for the text is split at `, `.
 */

type WithoutAlias<T extends string> = T extends `${infer Head}(${string})${infer Tail}` ? `${Head}${Tail}` : T

type Base<T extends string> = T extends 'Tensor'
  ? Tensor
  : T extends 'int' | 'SymInt' | 'ScalarType' | 'Layout' | 'MemoryFormat' | 'float'
    ? number
    : T extends 'Scalar'
      ? Scalar
      : T extends 'bool'
        ? boolean
        : T extends 'str'
          ? string
          : T extends 'Device'
            ? Device
            : IValue

type Plain<T extends string> = T extends `${infer Inner}?`
  ? Plain<Inner> | null
  : T extends `${infer Element}[${string}]`
    ? readonly Plain<Element>[]
    : Base<T>

type ArgumentList<S extends string> = S extends `${infer Head}, ${infer Tail}`
  ? Head | ArgumentList<Tail>
  : S extends ''
    ? never
    : S

type Declared<S extends string> = Exclude<ArgumentList<S>, '*'>

type NameOf<A extends string> = A extends `${string} ${infer Rest}`
  ? Rest extends `${infer Name}=${string}`
    ? Name
    : Rest
  : never

type TypeOf<A extends string> = A extends `${infer Type} ${string}` ? Plain<WithoutAlias<Type>> : never

/** The only alias note with blanks in it. */
type WithoutWildcard<S extends string> = S extends `${infer Head}(a -> *)${infer Tail}` ? `${Head}${Tail}` : S

type Parameters_<S extends string> = S extends `${string}(${infer Args}) -> ${string}` ? Args : never

/** `{ input: Tensor, stride: readonly number[], … }` of a schema text. */
export type ArgumentsOf<S extends string> = {
  readonly [A in Declared<Parameters_<WithoutWildcard<S>>> as NameOf<A>]: TypeOf<A>
}

/**
 * What a kernel gives back: nothing, one value, or one value for each of several returns.
 * A `float` may be given as a plain number: the schema says what it is.
 */
export type KernelResult =
  | void
  | Tensor
  | readonly Tensor[]
  | IValue
  | readonly (Tensor | readonly Tensor[] | IValue | readonly number[])[]
  | readonly number[]
