/**
 * Writes the conformance matrix into docs/operate/PROVIDERS.md from the results that stand in
 * docs/operate/conformance. Run by `npm run providers:matrix`, after the suites.
 */
import { globSync, readFileSync, writeFileSync } from "node:fs";

import { matrix, withMatrix } from "./conformance/matrix.ts";
import { resultsFile } from "./conformance/record.ts";

const document = "docs/operate/PROVIDERS.md";

const drivers = globSync("docs/operate/conformance/*.json")
  .toSorted()
  .map((path) => resultsFile.parse(JSON.parse(readFileSync(path, "utf8"))));

const before = readFileSync(document, "utf8");
writeFileSync(document, withMatrix(before, matrix(drivers)));
