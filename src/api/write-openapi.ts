/** `npm run openapi`: writes openapi.json from the contract. */
import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";

import { openApiDocument } from "./openapi.ts";

export function openApiText(): string {
  return `${JSON.stringify(openApiDocument(), null, 2)}\n`;
}

if (import.meta.main) {
  await writeFile(resolve(import.meta.dirname, "../../openapi.json"), openApiText());
}
