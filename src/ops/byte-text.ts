/*
 * A TorchScript string is a sequence of bytes: `len('é')` is 2. Strings here are JavaScript's, so operators that
 * count or cut work on a "byte text", in which each character is one byte of the UTF-8 form. Bytes that form no
 * character survive as lone surrogates U+DC80…U+DCFF, as Python's `surrogateescape` keeps them.
 */

const isAscii = /^[\0-\x7f]*$/
const escapeBase = 0xdc00

/** The bytes of a string, each as one character. */
export function bytesOf(text: string): string {
  if (isAscii.test(text)) return text
  let bytes = ''
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0
    if (code < 0x80) bytes += char
    else if (code > escapeBase + 0x7f && code <= escapeBase + 0xff)
      bytes += String.fromCharCode(code - escapeBase)
    else for (const byte of new TextEncoder().encode(char)) bytes += String.fromCharCode(byte)
  }
  return bytes
}

/** The string with these bytes. */
export function textOfBytes(bytes: string): string {
  if (isAscii.test(bytes)) return bytes
  let text = ''
  for (let i = 0; i < bytes.length;) {
    const length = sequenceLength(bytes, i)
    text +=
      length === 0
        ? String.fromCharCode(escapeBase + bytes.charCodeAt(i))
        : decode(bytes.slice(i, i + length))
    i += Math.max(1, length)
  }
  return text
}

const wellFormed = [
  /[\0-\x7f]/y,
  /[\xc2-\xdf][\x80-\xbf]/y,
  /(?:\xe0[\xa0-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]|\xed[\x80-\x9f])[\x80-\xbf]/y,
  /(?:\xf0[\x90-\xbf]|[\xf1-\xf3][\x80-\xbf]|\xf4[\x80-\x8f])[\x80-\xbf]{2}/y,
]

/** Bytes of the character at `start`; 0 where none begins. */
function sequenceLength(bytes: string, start: number): number {
  return (
    1 +
    wellFormed.findIndex((pattern) => {
      pattern.lastIndex = start
      return pattern.test(bytes)
    })
  )
}

function decode(bytes: string): string {
  return new TextDecoder().decode(Uint8Array.from(bytes, (char) => char.charCodeAt(0)))
}
