// How the page is built: one folder of local files that a strict content security policy (`default-src 'self'`) accepts.
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

export default defineConfig(({ mode }) => ({
  plugins: [svelte()],
  define: {
    // The mock platform exists in development and test builds alone; elsewhere the import is dead code and is dropped.
    __MOCK__: JSON.stringify(mode !== 'production'),
  },
  build: {
    target: ['chrome111', 'safari16.4', 'firefox115'],
    // A data: URL would need an exception in the policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    outDir: mode === 'test' ? 'node_modules/.e2e' : 'dist',
    emptyOutDir: true,
  },
  server: { proxy: { '/api': 'http://127.0.0.1:8765' } },
  test: { include: ['src/**/*.test.ts'], environment: 'node', css: { include: [/tokens\.css/] } },
}));
