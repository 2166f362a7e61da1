// The globals that the core assumes beyond ECMAScript 2023. A platform that has these runs it.

interface TextDecoder {
  decode(input?: Uint8Array): string
}
declare var TextDecoder: {
  new (label?: 'utf-8', options?: { fatal?: boolean; ignoreBOM?: boolean }): TextDecoder
}

interface TextEncoder {
  encode(input?: string): Uint8Array<ArrayBuffer>
}
declare var TextEncoder: {
  new (): TextEncoder
}
