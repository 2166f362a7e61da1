/** Signatures and sizes of zip's records (PKWARE APPNOTE.TXT 6.3.10, sections 4.3.7 to 4.3.16). */
export const signatures = {
  localHeader: 0x04034b50,
  dataDescriptor: 0x08074b50,
  centralHeader: 0x02014b50,
  endOfDirectory: 0x06054b50,
  zip64Locator: 0x07064b50,
  zip64EndOfDirectory: 0x06064b50,
} as const

export const sizes = {
  localHeader: 30,
  centralHeader: 46,
  endOfDirectory: 22,
  zip64Locator: 20,
  zip64EndOfDirectory: 56,
} as const

export const flags = { encrypted: 1, dataDescriptor: 1 << 3, utf8: 1 << 11 } as const
export const methods = { stored: 0, deflated: 8 } as const
export const zip64ExtraId = 1

export const max16 = 0xffff
export const max32 = 0xffffffff
