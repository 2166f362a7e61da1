import { describe, expect, it } from 'vitest'
import { Storage } from './storage.ts'

describe('a storage', () => {
  it('reads bytes at any address, also of a Node Buffer', () => {
    const buffer = Buffer.alloc(12)
    buffer.writeFloatLE(1.5, 3)
    expect(new Storage(buffer.subarray(3, 7)).as('float32')[0]).toBe(1.5)
  })

  it('is a view where the address allows it', () => {
    const bytes = new Uint8Array(16)
    const storage = new Storage(bytes.subarray(8))
    bytes[8] = 7
    expect(storage.as('uint8')[0]).toBe(7)
  })
})
