import { fileURLToPath } from 'node:url';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import type { HtmlTagDescriptor, Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

// WebKitGTK 2.50 is the oldest engine of the window; naming it keeps `light-dark()`, `oklch()` and nesting as written.
const target = 'safari18';

/**
 * Has the page name what the panel needs that most windows begin with, and the font of nearly all text: they come with the
 * first files, and not once these have run and are laid out.
 */
const firstPanel: Plugin = {
  name: 'first-panel',
  transformIndexHtml: {
    order: 'post',
    handler(html, { bundle = {} }) {
      const [scripts, styles] = [new Set<string>(), new Set<string>()];
      const take = (name: string): void => {
        const part = bundle[name];
        if (part?.type !== 'chunk' || scripts.has(name)) return;
        scripts.add(name);
        for (const other of part.imports) take(other);
        for (const style of part.viteMetadata?.importedCss ?? []) styles.add(style);
      };
      const parts = Object.values(bundle);
      for (const part of parts) if (part.type === 'chunk' && part.name === 'overview-view') take(part.fileName);
      const fonts = parts.map((part) => part.fileName).filter((name) => name.includes('/inter-latin-wght-normal'));
      const link = (attrs: Record<string, string>) => (name: string): HtmlTagDescriptor => ({ tag: 'link', attrs: { ...attrs, crossorigin: true, href: `./${name}` }, injectTo: 'head' });
      const missing = (names: Iterable<string>): string[] => [...names].filter((name) => !html.includes(name));
      return [
        ...missing(scripts).map(link({ rel: 'modulepreload' })),
        ...missing(styles).map(link({ rel: 'stylesheet' })),
        ...missing(fonts).map(link({ rel: 'preload', as: 'font', type: 'font/woff2' })),
      ];
    },
  },
};

// Tools demand a default export here.
export default defineConfig({
  plugins: [svelte(), firstPanel],
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
