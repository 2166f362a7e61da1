import type { EvaluationContext } from '../ops/operator.ts'

export interface Limits {
  /** Nodes to run at most. */
  readonly steps?: number
  /** Milliseconds to run at most; looked at every thousand nodes. */
  readonly milliseconds?: number
  /** Calls within calls; 200 when left out. */
  readonly depth?: number
}

/** What a run needs from outside. */
export interface Environment extends EvaluationContext {
  readonly limits?: Limits
}

export interface EnvironmentOptions {
  readonly warn?: (message: string) => void
  /** Gets the text with its line end. */
  readonly print?: (text: string) => void
  /** Of the generator behind dropout and `rand`; runs with the same seed give the same numbers. */
  readonly seed?: number
  readonly limits?: Limits
}

/** An environment that keeps silent unless told whom to talk to. */
export function createEnvironment(options: EnvironmentOptions = {}): Environment {
  return {
    warn: options.warn ?? (() => undefined),
    print: options.print ?? (() => undefined),
    random: seededRandom(options.seed ?? 0),
    gradEnabled: true,
    ...(options.limits && { limits: options.limits }),
  }
}

/** Uniform in [0, 1) with 32 random bits (the splitmix32 generator). */
function seededRandom(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x9e3779b9) | 0
    let word = Math.imul(state ^ (state >>> 16), 0x21f0aaad)
    word = Math.imul(word ^ (word >>> 15), 0x735a2d97)
    return ((word ^ (word >>> 15)) >>> 0) / 2 ** 32
  }
}
