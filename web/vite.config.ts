import { defineConfig } from "vite";

// The server's policy allows files of its own only: nothing is inlined, and the licences of what is bundled lie beside it.
export default defineConfig({
  // Addresses are relative: a proxy may show the page below a path of its own.
  base: "./",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: "../build/web/dist",
    emptyOutDir: true,
    target: "es2022",
    // light-dark() is kept as it is written.
    cssTarget: ["chrome123", "firefox120", "safari17.5"],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    license: { fileName: "licenses.md" },
    reportCompressedSize: true,
  },
  server: { proxy: { "/v1": "http://127.0.0.1:8080" } },
});
