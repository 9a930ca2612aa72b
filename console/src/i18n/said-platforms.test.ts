/** What platforms can do has a name in both languages, and why one cannot is said in Chinese too. */
import { globSync, readFileSync } from "node:fs";

import { expect, test } from "vitest";

import { executionOf } from "#providers/kubevirt/driver/execution.ts";

import { en } from "./en/index.ts";
import { sayer } from "./said.ts";
import { said } from "./zh-CN/said/index.ts";

const say = sayer(said);

test("every capability of the contract has its name in the console", () => {
  const contract = readFileSync("src/providers/provider.ts", "utf8");
  const [, body = ""] = /interface Capabilities \{(.*?)\n\}/s.exec(contract) ?? [];
  const names = [...body.matchAll(/readonly (\w+):/g)].map(([, name = ""]) => name);
  expect(names).toContain("moveLive");
  const known = Object.keys(en.infrastructure.capability);
  expect(names.filter((name) => !known.includes(name))).toEqual([]);
});

test("why a platform cannot is said in Chinese", () => {
  const reasons = globSync("src/providers/*/{,driver/}capabilities.ts").flatMap((file) => {
    const source = readFileSync(file, "utf8");
    const given = [...source.matchAll(/(?:no\(|=|\?|:)\s*"([^"]+ [^"]+)"/g)];
    return given.map(([, reason = ""]) => reason);
  });
  reasons.push("memory is plugged in by a move: there is no second node");
  expect(reasons.length).toBeGreaterThan(20);
  expect(reasons.filter((reason) => say(reason) === undefined)).toEqual([]);
});

test("how a cluster runs machines is said in Chinese", () => {
  const sentences = [true, false].map(
    (emulated) => executionOf({ version: "v1.9.0", emulated }).executionReason,
  );
  expect(sentences.filter((sentence) => say(sentence) === undefined)).toEqual([]);
});
