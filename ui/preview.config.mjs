import { svelte } from '@sveltejs/vite-plugin-svelte'
export default { base: './', plugins: [svelte()], build: { target: 'safari16.4', outDir: '/tmp/uiprev', emptyOutDir: true, rollupOptions: { input: 'preview.html' } } }
