import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vitest/config'

// Relative addresses, because the same files are served by the window, by the daemon and by a plain
// file server. Safari 16.4 is the oldest engine we promise.
export default defineConfig({
  base: './',
  plugins: [svelte()],
  build: { target: 'safari16.4', assetsInlineLimit: 0, chunkSizeWarningLimit: 600 },
  server: { port: 5173, strictPort: true },
  resolve: process.env.VITEST === undefined ? {} : { conditions: ['browser'] },
  test: {
    restoreMocks: true,
    testTimeout: 30_000,
    // Rules need no page: without jsdom their tests start ten times as fast.
    projects: [
      { extends: true, test: { name: 'rules', include: ['src/lib/**/*.test.ts'], environment: 'node' } },
      {
        extends: true,
        test: {
          name: 'pages',
          include: ['src/**/*.test.ts'],
          exclude: ['src/lib/**'],
          environment: 'jsdom',
          setupFiles: ['src/test/setup.ts'],
        },
      },
    ],
  },
})
