/** When the console is built: with the real Vite, over a console of one file. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";

import { afterAll, expect, test } from "vitest";

import { ensureConsole } from "./console.mjs";

const root = mkdtempSync(join(tmpdir(), "millrace-console-build-"));
afterAll(() => rmSync(root, { recursive: true }));
symlinkSync(resolve(import.meta.dirname, "../../node_modules"), join(root, "node_modules"));

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

/** What the one script of the build says. */
function built(): string {
  const assets = join(root, "dist/console/assets");
  return readdirSync(assets)
    .map((name) => readFileSync(join(assets, name), "utf8"))
    .join("\n");
}

test("without a console there is nothing to build, and nothing fails", async () => {
  await ensureConsole(root);
  expect(existsSync(join(root, "dist"))).toBe(false);
});

test("it is built when something changed that it is made of, and only then", async () => {
  write("package.json", '{"type":"module","imports":{"#*.ts":"./src/*.ts"}}');
  write(
    "console/vite.config.ts",
    "export default { root: import.meta.dirname, logLevel: 'error' };",
  );
  write("console/index.html", '<script type="module" src="/src/main.ts"></script>');
  write("console/src/main.ts", 'import { word } from "#near/word.ts";\nconsole.log(word);\n');
  write(
    "src/near/word.ts",
    'import { far } from "#far/far.ts";\nexport const word = `says ${far}`;\n',
  );
  write("src/far/far.ts", 'export const far = "one";\n');
  write("src/server/other.ts", "export const port = 1;\n");
  await ensureConsole(root);
  expect(built()).toContain("one");

  // A mark that another build would take away.
  write("dist/console/mark", "");
  const isKept = (): boolean => existsSync(join(root, "dist/console/mark"));
  await ensureConsole(root);
  write("src/server/other.ts", "export const port = 2;\n");
  write("console/README.md", "words");
  write("console/src/main.test.ts", "");
  await ensureConsole(root);
  expect(isKept()).toBe(true);

  write("src/far/far.ts", 'export const far = "two";\n');
  await ensureConsole(root);
  expect(isKept()).toBe(false);
  expect(built()).toContain("two");
  expect(readdirSync(join(root, "dist"))).toEqual(["console"]);
});

test("a build that fails says why and leaves what was there", async () => {
  write("console/src/main.ts", 'import "./nowhere.ts";\n');
  await expect(ensureConsole(root)).rejects.toThrow("nowhere");
  expect(built()).toContain("two");
  expect(readdirSync(join(root, "dist"))).toEqual(["console"]);
});
