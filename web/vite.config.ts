// SPDX-License-Identifier: Apache-2.0
// Builds the page into build/web. The server forbids inline code and foreign origins, so nothing may be inlined:
// no data: addresses, no preload script.
import { defineConfig } from "vite";

export default defineConfig({
  build: {
    outDir: "../build/web",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
});
