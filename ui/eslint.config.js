import js from '@eslint/js';
import svelte from 'eslint-plugin-svelte';
import globals from 'globals';
import ts from 'typescript-eslint';

const noTauri = {
  paths: [],
  patterns: [{ group: ['@tauri-apps/*'], message: 'Only ui/src/platform/tauri.ts talks to Tauri; use the Platform.' }],
};

const bans = [
  { selector: 'ExportDefaultDeclaration', message: 'No default exports: a name that can be searched is worth more.' },
];

export default ts.config(
  { ignores: ['dist/', 'node_modules/', 'src/generated/'] },
  js.configs.recommended,
  ...ts.configs.strict,
  ...svelte.configs.recommended,
  {
    languageOptions: { globals: globals.browser },
    rules: {
      eqeqeq: ['error', 'always'],
      'no-console': 'error',
      'no-eval': 'error',
      'no-restricted-imports': ['error', noTauri],
      'no-restricted-syntax': ['error', ...bans],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/unified-signatures': 'off',
    },
  },
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: { parserOptions: { parser: ts.parser } },
    rules: {
      'svelte/no-at-html-tags': 'error',
      'no-restricted-syntax': [
        'error',
        ...bans,
        { selector: "SvelteAttribute[key.name='style']", message: 'The policy of the window blocks style attributes; use a class or style:property.' },
      ],
      // Most built-in collections here are deliberately not reactive.
      'svelte/prefer-svelte-reactivity': 'off',
      'svelte/require-each-key': 'error',
      'svelte/button-has-type': 'error',
      // Hash links need no base path resolution: this is no SvelteKit application.
      'svelte/no-navigation-without-resolve': 'off',
      'prefer-const': 'off',
      'svelte/prefer-const': 'error',
    },
  },
  { files: ['src/platform/tauri.ts'], rules: { 'no-restricted-imports': 'off' } },
  {
    files: ['*.config.js', '*.config.ts'],
    languageOptions: { globals: globals.node },
    rules: { 'no-restricted-syntax': 'off' },
  },
);
