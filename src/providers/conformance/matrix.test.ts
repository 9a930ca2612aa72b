import { globSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

import { matrix, withMatrix } from "./matrix.ts";
import { resultsFile, type Results } from "./record.ts";

const driver: Results = {
  name: "one",
  testedAgainst: "Something 1.2",
  execution: "kvm",
  idempotency: "client-id",
  capabilities: { vncConsole: "no screen", pause: null },
  results: [
    { id: "a", title: "does a", ended: { outcome: "passed" } },
    { id: "b", title: "does b | c", ended: { outcome: "not_possible", because: "no screen" } },
    { id: "c", title: "does c", ended: { outcome: "skipped", because: "too slow" } },
    { id: "d", title: "does d", ended: { outcome: "failed" } },
    { id: "e", title: "does e", ended: { outcome: "passed", note: "at the next start" } },
  ],
};

test("the matrix says how each check ended, and each reason once", () => {
  const other: Results = { ...driver, name: "two", capabilities: {}, results: [] };
  const written = matrix([driver, other]).replaceAll(/ +/g, " ").replaceAll(/-{3,}/g, "---");
  expect(written).toBe(
    [
      "| | one | two |",
      "| --- | --- | --- |",
      "| tested against | Something 1.2 | Something 1.2 |",
      "| machines are | kvm | kvm |",
      "| `create` is safe by | client-id | client-id |",
      "",
      "| can it | one | two |",
      "| --- | --- | --- |",
      "| vnc console | no [1] | not said |",
      "| pause | yes | not said |",
      "",
      "| does it | one | two |",
      "| --- | --- | --- |",
      "| `a` does a | passed | not run |",
      "| `b` does b \\| c | not possible [1] | not run |",
      "| `c` does c | left out [2] | not run |",
      "| `d` does d | **failed** | not run |",
      "| `e` does e | passed [3] | not run |",
      "",
      "- [1] no screen",
      "- [2] too slow",
      "- [3] at the next start",
    ].join("\n"),
  );
});

test("the matrix in the docs is that of the recorded results", () => {
  const drivers = globSync("docs/operate/conformance/*.json")
    .toSorted()
    .map((path) => resultsFile.parse(JSON.parse(readFileSync(path, "utf8"))));
  expect(drivers.map((each) => each.name)).toContain("simulated");
  const document = readFileSync("docs/operate/PROVIDERS.md", "utf8");
  expect(withMatrix(document, matrix(drivers))).toBe(document);
});
