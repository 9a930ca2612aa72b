/** `npm start`: from a bare clone to a running cloud. Arguments go to the program (src/main.ts). */
import { join } from "node:path";

import { main, root, becomeNode, setUp } from "./setup.mjs";

await main(async () => {
  await setUp();
  return becomeNode(["--enable-source-maps", join(root, "dist/main.js"), ...process.argv.slice(2)]);
});
