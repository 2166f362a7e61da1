import { ClassType } from '../../ir/class-type.ts'
import { GraphEditor } from '../../ir/graph-editor.ts'
import type { Graph, Node } from '../../ir/graph.ts'
import { ScriptObject } from '../../ir/ivalue.ts'
import type { Type } from '../../ir/types.ts'
import { optimizedGraph } from '../preoptimize.ts'
import { retypedFunction, retypeGraph, withGraph } from './derive-class.ts'
import { attributeName, everyNode, isModule, type Slot } from './module-slots.ts'

export interface Derivation {
  /** The method whose graph is replaced. */
  readonly method: string
  readonly graph: Graph
  /** New content of bool attributes. */
  readonly decided: ReadonlyMap<Slot, boolean>
  /** Attributes that go, of all objects of their classes. */
  readonly dropped: readonly Slot[]
}

/**
 * A module like the given one, of a new class of the same name, in which one method has another graph. Attributes
 * have the same content but for decided flags; where attributes are dropped, all classes are new ones of the old
 * names, without the methods that read them. The given module stays as it is.
 */
export function deriveModule(root: ScriptObject, derivation: Derivation): ScriptObject {
  return new ModuleDeriver(root, derivation).derive()
}

/** A module like the given one, of a new class of the same name, in which one method has another graph. */
export function moduleWithGraph(root: ScriptObject, method: string, graph: Graph): ScriptObject {
  return deriveModule(root, { method, graph, decided: new Map(), dropped: [] })
}

class ModuleDeriver {
  readonly #root: ScriptObject
  readonly #derivation: Derivation
  /** Names of dropped attributes by class. */
  readonly #dropped = new Map<ClassType, Set<string>>()
  readonly #types = new Map<Type, ClassType>()
  readonly #objects = new Map<ScriptObject, ScriptObject>()

  constructor(root: ScriptObject, derivation: Derivation) {
    this.#root = root
    this.#derivation = derivation
    for (const { object, name } of derivation.dropped)
      this.#dropped.set(object.type, (this.#dropped.get(object.type) ?? new Set<string>()).add(name))
  }

  derive(): ScriptObject {
    const { decided, dropped } = this.#derivation
    if (dropped.length > 0) this.#deriveTypesBelow(this.#root)
    else this.#deriveType(this.#root.type)
    const copy =
      decided.size + dropped.length > 0
        ? this.#copy(this.#root)
        : new ScriptObject(this.#typeOf(this.#root.type), new Map(this.#root.slots))
    for (const [{ object, name }, value] of decided) this.#objects.get(object)?.slots.set(name, value)
    this.#fill()
    return copy
  }

  #typeOf(type: ClassType): ClassType {
    return this.#types.get(type) ?? type
  }

  #deriveType(old: ClassType): void {
    if (!this.#types.has(old)) this.#types.set(old, new ClassType(old.name, { isModule: old.isModule }))
  }

  #deriveTypesBelow(root: ScriptObject): void {
    const seen = new Set([root])
    for (const object of seen) {
      this.#deriveType(object.type)
      for (const content of object.slots.values()) if (isModule(content)) seen.add(content)
    }
  }

  #copy(object: ScriptObject): ScriptObject {
    const known = this.#objects.get(object)
    if (known) return known
    const copy = new ScriptObject(this.#typeOf(object.type))
    copy.pickledState = object.pickledState
    this.#objects.set(object, copy)
    for (const [name, content] of object.slots)
      if (this.#dropped.get(object.type)?.has(name) !== true)
        copy.slots.set(name, isModule(content) ? this.#copy(content) : content)
    return copy
  }

  /** Gives the new classes what their old ones have. */
  #fill(): void {
    const { method, graph } = this.#derivation
    retypeGraph(graph, this.#types)
    for (const [old, type] of this.#types) {
      if (!(old instanceof ClassType)) continue
      for (const [name, attribute] of old.attributes)
        if (this.#dropped.get(old)?.has(name) !== true)
          type.attributes.set(name, {
            ...attribute,
            type: this.#types.get(attribute.type) ?? attribute.type,
          })
      for (const [name, constant] of old.constants) type.constants.set(name, constant)
      for (const [name, fn] of old.staticMethods) type.staticMethods.set(name, fn)
      for (const [name, property] of old.properties) type.properties.set(name, property)
      for (const [name, fn] of old.methods)
        if (old === this.#root.type && name === method)
          type.methods.set(name, withGraph(fn, graph, this.#types))
        else if (!this.#readsDropped(optimizedGraph(fn)))
          type.methods.set(name, retypedFunction(fn, this.#types))
    }
    castInterfaces(graph)
  }

  #readsDropped(graph: Graph): boolean {
    if (this.#dropped.size === 0) return false
    return [...everyNode(graph)].some((node) => {
      const type =
        node.kind === 'prim::GetAttr' || node.kind === 'prim::SetAttr' ? node.input().type : undefined
      return type?.kind === 'Class' && this.#dropped.get(type)?.has(attributeName(node)) === true
    })
  }
}

/**
 * An attribute that is declared as an interface is read as one; where a graph knows the class behind it, a cast says
 * so.
 */
function castInterfaces(graph: Graph): void {
  for (const node of everyNode(graph)) {
    const declared = declaredType(node)
    if (declared?.kind !== 'Interface' || node.output().type.kind !== 'Class') continue
    const edit = new GraphEditor(node.graph)
    const value = node.output()
    const known = value.type
    edit.at(node.next, () => {
      const cast = edit.insert('prim::unchecked_cast', [], { outputs: [known], range: node.range })
      edit.replaceAllUses(value, cast.output())
      edit.addInput(cast, value)
    })
    edit.setType(value, declared)
  }
}

function declaredType(node: Node): Type | undefined {
  if (node.kind !== 'prim::GetAttr') return undefined
  const { type } = node.input()
  return type.kind === 'Class' ? type.attributes.get(attributeName(node))?.type : undefined
}
