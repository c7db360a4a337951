// SPDX-License-Identifier: Apache-2.0
// Builds the pages into build/web: index.html and every FOLDER/index.html is one. The server forbids inline code and
// foreign origins, so nothing may be inlined: no data: addresses, no preload script.
import { existsSync, readdirSync } from "node:fs";
import { defineConfig } from "vite";

const folders = readdirSync(".").filter((name) => !["node_modules", "public", "src"].includes(name) && existsSync(`${name}/index.html`));
const input = Object.fromEntries(folders.map((name) => [name, `${name}/index.html`]));

export default defineConfig({
  build: {
    outDir: "../build/web",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rollupOptions: { input: { start: "index.html", ...input } },
  },
  define: {
    "import.meta.env.PAGES": JSON.stringify(folders.join(" ")),
    // The SDK's Protobuf format tries it for long integers and does without; the policy forbids it and reports the try.
    WebAssembly: "undefined",
  },
});
