/** The pages for operators name every row and every refusal, in both languages. */
import { globSync, readFileSync } from "node:fs";

import { expect, test } from "vitest";

const pages = ["docs/operate/KUBEVIRT.md", "docs/operate/KUBEVIRT.zh-CN.md"];

/** Of other things than codes. */
const words = new Set(["too_little"]);

function ids(group: string, count: number): readonly string[] {
  return Array.from(
    { length: count },
    (_, index) => `${group}-${String(index + 1).padStart(2, "0")}`,
  );
}

test.for(pages)(
  "R-CPU, R-MEM, R-GPU: %s has a field, or says that there is none, for each",
  (page) => {
    const rows = readFileSync(page, "utf8").split("\n");
    const documented = rows.flatMap((row) => /^\| (R-(?:CPU|MEM|GPU)-\d+) /u.exec(row)?.[1] ?? []);
    expect(documented).toEqual([...ids("R-CPU", 12), ...ids("R-MEM", 8), ...ids("R-GPU", 11)]);
  },
);

test.for(pages)("%s says of each other group of rows what carries it", (page) => {
  const text = readFileSync(page, "utf8");
  const wanted = [
    ...ids("R-CORE", 7),
    ...ids("R-PROF", 12),
    "S-02",
    "S-03",
    "ST-02",
    "H-29",
    "M-VM-01",
    "M-VM-07",
    ...ids("I-VM", 4),
    ...ids("I-TEN", 6),
    ...ids("I-DES", 3),
  ];
  const documented = text.split("\n").flatMap((row) => {
    const [, first = ""] =
      /^\| ((?:R-(?:CORE|PROF)|I-[A-Z]+|S|ST|H|M-VM)-[^|]+)\|/u.exec(row) ?? [];
    return [...first.matchAll(/[A-Z]+(?:-[A-Z]+)?-\d+/gu)].map(([id]) => id);
  });
  expect(wanted.filter((id) => !documented.includes(id))).toEqual([]);
  expect(new Set(documented).size).toBe(documented.length);
});

test.for(pages)("%s explains every code of a refusal, and of why a machine waits", (page) => {
  const text = readFileSync(page, "utf8");
  const sources = globSync("src/providers/kubevirt/{compile,observe,tenants}/*.ts");
  const codes = sources
    .filter((file) => !file.includes(".test."))
    .flatMap((file) => [
      ...readFileSync(file, "utf8").matchAll(/"([a-z]+(?:_[a-z]+)+|replicas)"/gu),
    ])
    .map(([, code]) => code ?? "")
    .filter((code) => !words.has(code));
  expect(codes.length).toBeGreaterThan(60);
  expect(codes.filter((code) => !text.includes(`\`${code}\``))).toEqual([]);
});
