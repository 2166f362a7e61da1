const registry = new FinalizationRegistry<() => void>((release) => release())

/**
 * What gives native objects back: once, when it is called or when their owner was collected without that.
 *
 * @param release must not refer to the owner
 */
export function releaseWith(owner: object, release: () => void): () => void {
  let isDone = false
  const once = (): void => {
    if (isDone) return
    isDone = true
    registry.unregister(once)
    release()
  }
  registry.register(owner, once, once)
  return once
}
