import { fileURLToPath } from 'node:url';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

// WebKitGTK 2.50 is the oldest engine of the window; naming it keeps `light-dark()`, `oklch()` and nesting as written.
const target = 'safari18';

// Tools demand a default export here.
export default defineConfig({
  plugins: [svelte()],
  // Relative, so that the same build serves from tauri:// and from any path of the daemon.
  base: './',
  resolve: {
    alias: { $ui: fileURLToPath(new URL('./src', import.meta.url)) },
    // Tests mount components; without this the server build of Svelte would be taken.
    ...(process.env['VITEST'] === undefined ? {} : { conditions: ['browser'] }),
  },
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target,
    cssTarget: target,
    // The window's policy allows no data: fonts and no inline scripts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // The first panel with its charts takes about 350 kB; a part that grows beyond this is looked at.
    chunkSizeWarningLimit: 250,
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            // A group takes along what its modules need, so what everything stands on comes first.
            { name: 'base', test: /node_modules\/(svelte|esm-env|clsx)\/|\/src\/(i18n\/(?!de)|state|generated|shared\/(format|text))/, priority: 3 },
            // What most panels are made of, in one piece: a request for each button would cost more than it saves.
            { name: 'shared', test: /\/src\/(shared\/(?!chart)|domain)\/|lucide/, minShareCount: 3, priority: 2 },
            { name: 'chart', test: /node_modules\/uplot\/|\/src\/shared\/chart\//, priority: 1 },
          ],
        },
      },
    },
  },
  // Tests compare the catalogue with the titles of the rules, and with what the language of the search expects.
  server: { port: 5173, strictPort: true, fs: { allow: ['.', '../crates/watchpost-detect/rules', '../crates/watchpost-model/src/query'] } },
  test: {
    environment: 'happy-dom',
    include: ['src/**/*.test.ts'],
    restoreMocks: true,
    // Modules are loaded once for many files: loading them again for each took twice as long as all tests together.
    // What a test changes beyond its component (a route, a preference, the storage) it sets before it begins.
    isolate: false,
    setupFiles: ['src/test-setup.ts'],
    // Beside a build a test takes many times as long.
    testTimeout: 30_000,
  },
});
