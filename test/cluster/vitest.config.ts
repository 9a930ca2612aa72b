/** Against a real cluster, by `npm run test:cluster` alone: no part of `npm test`. */
import { resolve } from "node:path";

import { defineConfig } from "vitest/config";

export default defineConfig({
  root: resolve(import.meta.dirname, "../.."),
  resolve: { conditions: ["source"] },
  ssr: { resolve: { conditions: ["source"] } },
  test: {
    include: ["test/cluster/*.cluster.test.ts"],
    fileParallelism: false,
    // A machine's first boot fetches its image.
    testTimeout: 1_800_000,
    hookTimeout: 600_000,
  },
});
