/**
 * Builds the console into dist/console: index.html, hashed assets, and beside each what it is when
 * packed, so that the server packs nothing. `npm run console` serves the sources instead, with the
 * API of a running server (MILLRACE_URL, else http://127.0.0.1:8080) behind them.
 */
import { join, resolve } from "node:path";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

import { operationsPlugin } from "./build/operations-plugin.ts";
import { packPlugin } from "./build/pack-plugin.ts";
import { sizePlugin } from "./build/size-plugin.ts";
import { textsPlugin } from "./build/texts-plugin.ts";

const repositoryRoot = resolve(import.meta.dirname, "..");
const server = process.env["MILLRACE_URL"] ?? "http://127.0.0.1:8080";
const served = ["/v1", "/healthz", "/readyz", "/metrics", "/openapi.json", "/log"];

export default defineConfig({
  root: import.meta.dirname,
  base: "/",
  // Sources are imported as `#folder/file.ts` (package.json, "imports"), not what was compiled.
  resolve: { conditions: ["source", "module", "browser", "development|production"] },
  plugins: [
    react(),
    operationsPlugin(repositoryRoot),
    textsPlugin(import.meta.dirname),
    sizePlugin(225),
    packPlugin(),
  ],
  build: {
    outDir: join(repositoryRoot, "dist/console"),
    emptyOutDir: true,
    target: "es2023",
    // The first that know light-dark(), which would else be rewritten into what the theme cannot switch.
    cssTarget: ["chrome123", "edge123", "firefox120", "safari17.5"],
    // Nothing inline: the content security policy forbids it for scripts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 1000,
  },
  server: {
    host: "127.0.0.1",
    proxy: Object.fromEntries(served.map((path) => [path, { target: server, ws: true }])),
  },
});
