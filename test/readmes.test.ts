/** What newcomers read first is there, and names no file that has gone. */
import { existsSync, globSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

import { expect, test } from "vitest";

/** A folder of so few files explains itself. */
const filesWithoutReadme = 3;

const folders = ["src", ...globSync("src/**/").map((path) => path.replace(/\/$/, ""))];
const files = globSync("src/**/*.*");
const documents = ["README.md", "README.zh-CN.md", ...globSync("{docs,src,db}/**/*.md")];

test("each folder of more than three files says what it is for", () => {
  const silent = folders.filter((folder) => {
    const entries = readdirSync(folder, { withFileTypes: true }).filter((each) => each.isFile());
    const names = entries.map(({ name }) => name);
    return names.length > filesWithoutReadme && !names.includes("README.md");
  });
  expect(silent).toEqual([]);
});

test("each file that a document names is there", () => {
  const gone = documents.flatMap((document) =>
    [...readFileSync(document, "utf8").matchAll(/`([\w./-]+\.(?:ts|sql|mjs|pl))`/g)]
      .map(([, name]) => name ?? "")
      .filter((name) => !isThere(name, document))
      .map((name) => `${document}: ${name}`),
  );
  expect(gone).toEqual([]);
});

/** Beside the document or below its folder, by its path from the root or `src`, or a migration. */
function isThere(name: string, document: string): boolean {
  const folder = dirname(document);
  const places = [folder, dirname(folder), ".", "src", "db/migrations"];
  if (places.some((place) => existsSync(join(place, name)))) return true;
  // A pattern such as NNNN.do.name.sql or .vm.test.ts.
  if (name.startsWith("NNNN") || name.startsWith(".")) return true;
  const within = folder.startsWith("src/") ? `${folder}/` : "src/";
  return files.some((file) => file.startsWith(within) && file.endsWith(`/${name}`));
}
