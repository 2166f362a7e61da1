/** Words that a variable of printed source may not be called (torch/csrc/jit/serialization/python_print.cpp). */
const reservedNames = new Set(
  (
    'False None True and as assert async await break class continue def del elif else except finally for from ' +
    'global if import in is lambda nonlocal not or pass raise return try while with yield ' +
    'annotate unchecked_cast uninitialized getattr hasattr isinstance fork range enumerate zip list dict tuple ' +
    'print int float bool str complex len hex oct bin round hash id min max abs all any divmod sum ord chr pow ' +
    'sorted rangelist torch ops CONSTANTS __torch__ inf nan infj nanj awaitable self_ rpc_async rpc_sync rpc_remote ' +
    'Tensor List Dict Tuple Optional Union Future RRef Device Generator number NoneType Any AssertionError Exception'
  ).split(' '),
)

/** Whether the text may stand where Python wants a name. */
export function isIdentifier(text: string): boolean {
  return /^[A-Za-z_]\w*$/.test(text) && !reservedNames.has(text)
}

/** Hands out variable names that are valid and not taken. */
export class PythonNames {
  readonly #used = new Set<string>()
  readonly #next = new Map<string, number>()

  /** A name for a value of that debug name; `_0`, `_1`, … for one without. */
  unique(debugName: string | undefined): string {
    const base = debugName === undefined ? '_' : identifierFrom(debugName)
    let name = base
    while (base === name && base === '_' ? true : this.#used.has(name) || reservedNames.has(name)) {
      const suffix = this.#next.get(base) ?? 0
      this.#next.set(base, suffix + 1)
      name = `${base}${suffix}`
    }
    this.#used.add(name)
    return name
  }
}

/** The debug name without its number suffix, and with all that is no letter or digit replaced. */
function identifierFrom(debugName: string): string {
  const base = debugName.replace(/(?:\.\d+)+$/, '').replace(/\W/g, '_')
  return /^\d/.test(base) ? `_${base}` : base
}
