/** Texts: both languages have the same keys and the same values in them, and every text has a use. */
import { globSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

import { en } from "./en/index.ts";
import { zhCN } from "./zh-CN/index.ts";

function leavesOf(value: unknown, path = ""): Map<string, string> {
  if (typeof value === "string") return new Map([[path, value]]);
  const found = new Map<string, string>();
  for (const [name, inner] of Object.entries(value ?? {})) {
    for (const [key, text] of leavesOf(inner, path === "" ? name : `${path}.${name}`)) {
      found.set(key, text);
    }
  }
  return found;
}

const english = leavesOf(en);
const chinese = leavesOf(zhCN);
const valuesOf = (text: string): string[] =>
  [...text.matchAll(/\{\{([a-zA-Z]+)\}\}/g)].map((match) => match[1] ?? "").toSorted();

test("both languages have the same keys", () => {
  // Chinese has no singular.
  const wanted = [...english.keys()].filter((key) => !key.endsWith("_one"));
  expect([...chinese.keys()].toSorted()).toEqual(wanted.toSorted());
});

test("a plural has its singular in English", () => {
  const lonely = [...english.keys()].filter(
    (key) => key.endsWith("_other") && !english.has(key.replace(/_other$/, "_one")),
  );
  expect(lonely).toEqual([]);
});

test("both languages say the same values, and nothing is empty", () => {
  const wrong: string[] = [];
  for (const [key, text] of chinese) {
    const other = english.get(key) ?? "";
    const same = valuesOf(text).join() === valuesOf(other).join();
    if (!same || text.trim() === "" || other.trim() === "") wrong.push(key);
  }
  expect(wrong).toEqual([]);
});

test("Chinese is Chinese", () => {
  // Names, units and formats are the same in both.
  const untranslated = [...chinese].filter(
    ([key, text]) => text === english.get(key) && /[a-z]{4,} [a-z]{3,}/.test(text),
  );
  expect(untranslated).toEqual([]);
});

const sources = globSync("console/src/**/*.{ts,tsx}")
  .filter((file) => !file.includes("/i18n/") && !file.endsWith(".test.ts"))
  .map((file) => readFileSync(file, "utf8"))
  .join("\n");

test("every text has a use", () => {
  // By its whole key, or by a key that is put together: `states.lease.${state}`.
  const made = [...sources.matchAll(/`([a-zA-Z.]+\.[a-zA-Z.]*)\$\{[^}]+\}([a-zA-Z.]*)`/g)].map(
    (match) => ({ begin: match[1] ?? "", end: match[2] ?? "" }),
  );
  const unused = [...english.keys()]
    .map((key) => key.replace(/_(?:one|other)$/, ""))
    .filter((key) => !sources.includes(`"${key}"`))
    .filter((key) => !made.some(({ begin, end }) => key.startsWith(begin) && key.endsWith(end)))
    // States are asked for by their kind; common words are there for whoever needs them.
    .filter((key) => !/^(?:states|common)\./.test(key));
  expect([...new Set(unused)]).toEqual([]);
});

test("no Chinese and no long English outside of the texts", () => {
  expect(sources.match(/[\u4E00-\u9FFF]+/gu) ?? []).toEqual([]);
});
