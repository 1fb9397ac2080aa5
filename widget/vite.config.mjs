// One file without imports, so that a page needs one <script>.
export default {
  publicDir: false,
  build: {
    target: 'es2020',
    copyPublicDir: false,
    lib: { entry: 'src/main.ts', name: 'PerezvonWidget', formats: ['iife'], fileName: () => 'widget.js' },
  },
}
