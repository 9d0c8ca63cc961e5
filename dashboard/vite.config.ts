import { defineConfig } from 'vite'

/** The dashboard's build: a page, a script and a style sheet of this origin, all with relative addresses, so that it works under any prefix. */
export default defineConfig({
  root: import.meta.dirname,
  base: './',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: '../dist/dashboard',
    emptyOutDir: true,
    target: 'es2023',
    // Its inline script would need a hole in the content security policy; browsers of the target have no need of it.
    modulePreload: { polyfill: false },
    // A data: address would need another.
    assetsInlineLimit: 0,
    reportCompressedSize: false,
  },
})
