/**
 * The text of a graph with its values numbered in the order in which they appear, without the numbers of warnings,
 * which libtorch counts over everything its process has ever compiled, and without source comments unless asked for.
 */
export function canonicalGraph(text: string, { places = false } = {}): string {
  const names = new Map<string, string>()
  return (places ? text : text.replaceAll(/ # [^\n]*$/gm, ''))
    .replaceAll(/\[warn_id=\d+\]/g, '')
    .replaceAll(/%[^\s,():]+/g, (name) => {
      const known = names.get(name)
      if (known !== undefined) return known
      const fresh = `%${names.size}`
      names.set(name, fresh)
      return fresh
    })
    .trim()
}

/**
 * A canonical text with constants written where they are used and without the class of `self`: constants may stand in
 * any order, and only libtorch's process knows the number in the name of a frozen class.
 */
export function canonicalFrozenGraph(text: string): string {
  const constants = new Map<string, string>()
  const lines: string[] = []
  for (const line of text.replace(/^graph\((%\S+) : [^\n]*?,?\n/, 'graph($1,\n').split('\n')) {
    const [, name, content] = /^ *(%\S+) : (.* = prim::Constant.*?)(?: # .*)?$/.exec(line) ?? []
    if (name !== undefined && content !== undefined) constants.set(name, `<${content}>`)
    else lines.push(line.replaceAll(/%[^\s,():]+/g, (used) => constants.get(used) ?? used))
  }
  return canonicalGraph(lines.join('\n'))
}

/** Only the nodes of a canonical text and how they hang together: no types, no attributes. */
export function structureOf(canonical: string): string {
  return canonical.replaceAll(/ : .*? = (?=\w+::)/g, ' = ').replaceAll(/::(\w+)\[.*?\]\(/g, '::$1(')
}

/** Whether a canonical text has fewer nodes than another, and of no kind more. */
export function hasLess(found: string, wanted: string): boolean {
  const [ours, theirs] = [kindsIn(found), kindsIn(wanted)]
  return found.length < wanted.length && [...ours].every(([kind, n]) => n <= (theirs.get(kind) ?? 0))
}

function kindsIn(canonical: string): Map<string, number> {
  const counts = new Map<string, number>()
  for (const [kind] of canonical.matchAll(/\b(?:aten|prim)::\w+(?=[[(])/g))
    counts.set(kind, (counts.get(kind) ?? 0) + 1)
  return counts
}

/** The first line in which two texts differ, for a message. */
export function firstDifference(ours: string, theirs: string): string {
  const left = ours.split('\n')
  const right = theirs.split('\n')
  const at = left.findIndex((line, i) => line !== right[i])
  return `line ${at + 1}: ours «${left[at] ?? ''}», libtorch's «${right[at] ?? ''}»`
}
