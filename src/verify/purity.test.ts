/** The check runs in a browser: nothing that it loads needs Node, a database or a network. */
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

import { expect, test } from "vitest";

const sources = resolve(import.meta.dirname, "..");
/** Types vanish before anything runs. */
const valueImport = /^(?:import|export)\s(?!type\b)[^;]*?from\s+"([^"]+)"/gm;
const ambient = /\bprocess\.|\bBuffer\b|\bDate\.now\(|\bMath\.random\(|\bfetch\(/;
const packages = new Set(["zod"]);

test("what the check loads is pure, file after file", () => {
  const seen = new Set<string>();
  const wrong: string[] = [];
  const visit = (file: string): void => {
    if (seen.has(file) || !file.endsWith(".ts")) return;
    seen.add(file);
    const text = readFileSync(file, "utf8");
    const found = ambient.exec(text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, ""));
    if (found !== null) wrong.push(`${file} uses ${found[0]}`);
    for (const [, specifier = ""] of text.matchAll(valueImport)) {
      if (specifier.startsWith("#")) visit(join(sources, specifier.slice(1)));
      else if (specifier.startsWith("./")) visit(join(file, "..", specifier));
      else if (!packages.has(specifier)) wrong.push(`${file} imports ${specifier}`);
    }
  };
  visit(join(sources, "verify/verify.ts"));
  expect(wrong).toEqual([]);
  expect(seen.size).toBeGreaterThan(20);
  expect([...seen].every((file) => existsSync(file))).toBe(true);
});
