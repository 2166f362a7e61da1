import { isDeepStrictEqual } from 'node:util'
import { expect, it } from 'vitest'
import { schemaKey } from '../ir/schema.ts'
import { allOperators } from './index.ts'
import { schemasNamed } from './schema-table.ts'

it('gives every operator of libtorch the schema that libtorch gives it', () => {
  const disagreeing: string[] = []
  for (const { schema, key } of allOperators()) {
    if (!/^(aten|prim)::/.test(key)) continue
    const official = schemasNamed(schema.name).find((candidate) => schemaKey(candidate) === key)
    if (!isDeepStrictEqual(official, schema)) disagreeing.push(key)
  }
  expect(disagreeing).toEqual([])
})
