/**
 * What is wrong with the name of a zip entry, if anything: it must be a plain relative path that stays in the
 * folder an archive is unpacked to, on every system.
 */
export function nameFault(name: string): string | undefined {
  if (name === '') return 'is empty'
  if (name.startsWith('/') || /^[a-z]:/i.test(name)) return 'is an absolute path'
  if (name.includes('\\')) return 'has a backslash'
  if (/\p{Cc}/u.test(name)) return 'has a control character'
  if (name.split('/').some((part) => part === '..' || part === '.')) return "has a '.' or '..' part"
  return undefined
}
