/** `npm run tour`: plays the main job with real machines; see src/tour/main.ts. */
import { join } from "node:path";

import { main, root, becomeNode, setUp } from "./setup.mjs";

await main(async () => {
  await setUp();
  return becomeNode([
    "--enable-source-maps",
    join(root, "dist/tour/main.js"),
    ...process.argv.slice(2),
  ]);
});
