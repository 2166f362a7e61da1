import tseslint from 'typescript-eslint'

/** What each stage of src/ may import (docs: ARCHITECTURE.md). A stage may always import itself and src/errors.ts. */
const stages = {
  tensor: [],
  archive: ['tensor'],
  ir: ['tensor'],
  ops: ['tensor', 'ir'],
  script: ['tensor', 'archive', 'ir', 'ops'],
  passes: ['tensor', 'ir', 'ops', 'script'],
  runtime: ['tensor', 'ir', 'ops', 'passes'],
  backends: ['tensor', 'archive', 'ir', 'ops', 'runtime'],
}

const edges = ['cli', 'node', 'browser']

/** A rule for each stage that forbids the folders it must not look into. */
const importDirection = Object.entries(stages).map(([stage, allowed]) => {
  const forbidden = [...Object.keys(stages), ...edges].filter(
    (name) => name !== stage && !allowed.includes(name),
  )
  const patterns = [
    {
      regex: `^(?:\\.\\./)+(?:(?:${forbidden.join('|')})/|index\\.ts|load\\.ts)`,
      message: `src/${stage} may import only ${['itself', ...allowed].join(', ')} and errors.ts`,
    },
    { regex: '^(?!\\.|fflate$)', message: 'the core imports neither Node nor packages (but fflate)' },
  ]
  return {
    files: [`src/${stage}/**/*.ts`],
    // oneDNN is called from Node only.
    ignores: ['**/*.test.ts', 'src/backends/onednn/binding/foreign-library.ts'],
    rules: { 'no-restricted-imports': ['error', { patterns }] },
  }
})

const plainErrors = {
  selector: "NewExpression[callee.name='Error'], CallExpression[callee.name='Error']",
  message: 'throw a PermafrostError subclass; invariant() is for bugs of ours',
}

const graphInternals = {
  selector: 'MemberExpression[property.type=Identifier][property.name=/^_/]',
  message: 'change graphs through a GraphEditor',
}

export default tseslint.config(
  { ignores: ['dist/**', 'node_modules/**', '.oracle/**', '**/*.generated.ts'] },
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: {
      parserOptions: { project: './tsconfig.test.json', tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      'max-lines': ['error', { max: 600 }],
      'max-lines-per-function': ['error', { max: 100, skipComments: true }],
      complexity: ['error', 30],
      eqeqeq: 'error',
      'no-restricted-syntax': ['error', plainErrors, graphInternals],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-non-null-assertion': 'error',
      // A kernel without a result returns nothing; strings here are sequences of code points, as in Python.
      '@typescript-eslint/no-invalid-void-type': 'off',
      '@typescript-eslint/no-misused-spread': 'off',
    },
  },
  {
    files: ['src/ops/**/*.ts', 'src/backends/**/*.ts'],
    rules: { '@typescript-eslint/no-non-null-assertion': 'off' },
  },
  {
    files: ['src/ir/{graph,graph-editor,value-names}.ts'],
    rules: { 'no-restricted-syntax': ['error', plainErrors] },
  },
  {
    files: ['**/*.test.ts', 'test/**/*.ts', 'bench/**/*.ts', 'scripts/**/*.ts'],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      'max-lines-per-function': 'off',
      'no-restricted-syntax': 'off',
    },
  },
  // Globals are declared by var.
  { files: ['src/platform.d.ts'], rules: { 'no-var': 'off' } },
  ...importDirection,
  { files: ['**/*.js', 'vitest*.ts'], extends: [tseslint.configs.disableTypeChecked] },
)
