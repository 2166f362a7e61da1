import { checkProgram, type CheckOptions, type Verdict } from './check.ts'
import { generateProgram } from './generate.ts'
import { sourceOf } from './model.ts'
import type { Program } from './program.ts'
import { shrink } from './shrink.ts'

export interface CampaignOptions extends CheckOptions {
  readonly firstSeed: number
  readonly count: number
  /** Stops after that time even if fewer programs were tried. */
  readonly milliseconds?: number
  /** Stops after so many faults; 1 when left out. */
  readonly mostFaults?: number
  readonly onProgress?: (tried: number) => void
}

export interface CampaignResult {
  /** Programs that ran in all their forms. */
  readonly same: number
  /** Programs that are no test, because they fail by themselves. */
  readonly unusable: number
  /** The seed behind the last that was tried. */
  readonly nextSeed: number
  readonly faults: readonly string[]
}

/** Tries programs one after the other; each fault is told with its seed and a program made as small as it goes. */
export function runCampaign(options: CampaignOptions): CampaignResult {
  const end = Date.now() + (options.milliseconds ?? Infinity)
  const faults: string[] = []
  const tally = { same: 0, unusable: 0, fault: 0 }
  let seed = options.firstSeed
  while (seed < options.firstSeed + options.count && Date.now() < end) {
    const program = generateProgram(seed++)
    const verdict = checkProgram(program, options)
    tally[verdict.kind]++
    if (verdict.kind === 'fault') faults.push(describeFault(program, verdict, options))
    options.onProgress?.(seed - options.firstSeed)
    if (faults.length >= (options.mostFaults ?? 1)) break
  }
  return { same: tally.same, unusable: tally.unusable, nextSeed: seed, faults }
}

/** The seed, the smallest program that fails in the same form, and how it fails. */
export function describeFault(program: Program, verdict: Verdict, options: CheckOptions = {}): string {
  if (verdict.kind !== 'fault') return verdict.kind
  const failure = failureOf(verdict)
  const small = shrink(program, (candidate) => failureOf(checkProgram(candidate, options)) === failure)
  const last = checkProgram(small, options)
  const { where, why } = last.kind === 'fault' ? last : verdict
  const preserved = small.preserved.join(', ') || 'nothing'
  return `seed ${program.seed}, ${where} (preserving ${preserved}):\n${why}\n${sourceOf(small)}`
}

/** Where a program fails, and whether by an error or a difference: what shrinking must not change. */
function failureOf(verdict: Verdict): string {
  if (verdict.kind !== 'fault') return verdict.kind
  return `${verdict.where} ${/^\w*Error|^\w+Exception/.exec(verdict.why)?.[0] ?? 'differs'}`
}
