import { expect, it } from 'vitest'
import { families } from './index.ts'

it('defines no operator twice', () => {
  const keys = families.flat().map(({ key }) => key)
  expect(keys.filter((key, i) => keys.indexOf(key) !== i)).toEqual([])
})
