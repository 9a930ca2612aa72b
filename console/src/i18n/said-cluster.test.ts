/**
 * Whatever the driver of clusters says in its own sources has its Chinese sentence: refusals, reasons, what
 * to do. The sources are read, so that a new one cannot be forgotten; values stand for anything.
 */
import { globSync, readFileSync } from "node:fs";

import { expect, test } from "vitest";

import { sayer } from "./said.ts";
import { said } from "./zh-CN/said/index.ts";

const say = sayer(said);

/** Told in a terminal before anything runs, or by the cluster itself to who works in it by hand. */
const toNoPage = [
  "jobs/doctor.ts",
  "driver/settings.ts",
  "tenants/policies.ts",
  "compile/test-ask.ts",
  "jobs/test-told.ts",
];

const root = "src/providers/kubevirt/";
const files = globSync(`${root}**/*.ts`).filter(
  (file) => !file.endsWith(".test.ts") && !toNoPage.some((each) => file === root + each),
);

/** Where a text for somebody begins: what is refused with, and what is called by one of these names. */
const named = String.raw`\b(?:message|action|advice|because|detail)(?::| =)`;
const begins = new RegExp(
  [
    String.raw`\brefused\(\s*(?=["\x60])`,
    String.raw`new ProviderError\(\s*"[a-z_]+",\s*(?=["\x60])`,
    String.raw`${named}(?:\s*[^"\x60;{}]{1,80}\?)?\s*(?=["\x60])`,
    String.raw`(?<=${named}[^;{}]{1,300}):\s*(?=["\x60])`,
  ].join("|"),
  "gu",
);

interface Literal {
  readonly text: string;
  readonly end: number;
}

/** Of a string or template that begins there; a value is `x7`, and `: x7` where it is glued to a word. */
function literalAt(source: string, at: number): Literal | undefined {
  if (source[at] === '"') {
    const plain = /"((?:[^"\\\n]|\\.)*)"/uy;
    plain.lastIndex = at;
    const match = plain.exec(source);
    if (match === null) return undefined;
    return { text: (match[1] ?? "").replaceAll('\\"', '"'), end: plain.lastIndex };
  }
  let text = "";
  let index = at + 1;
  while (index < source.length && source[index] !== "`") {
    if (source.startsWith("${", index)) {
      text += /[A-Za-z]$/u.test(text) ? ": x7" : "x7";
      index = afterValue(source, index + 2);
    } else {
      if (source[index] === "\\") index += 1;
      text += source[index] ?? "";
      index += 1;
    }
  }
  return { text, end: index + 1 };
}

/** Past the brace that closes a value, which may hold templates itself. */
function afterValue(source: string, from: number): number {
  let depth = 1;
  let index = from;
  while (index < source.length && depth > 0) {
    const char = source[index];
    if (char === "`") index = literalAt(source, index)?.end ?? index + 1;
    else {
      if (char === "{") depth += 1;
      if (char === "}") depth -= 1;
      index += 1;
    }
  }
  return index;
}

/** With what is added to it. */
function textAt(source: string, at: number): string {
  let literal = literalAt(source, at);
  let text = literal?.text ?? "";
  while (literal !== undefined) {
    const plus = /\s*\+\s*(?=["`])/uy;
    plus.lastIndex = literal.end;
    if (plus.exec(source) === null) return text;
    literal = literalAt(source, plus.lastIndex);
    text += literal?.text ?? "";
  }
  return text;
}

function sentences(): readonly string[] {
  const found = files.flatMap((file) => {
    const source = readFileSync(file, "utf8");
    return [...source.matchAll(begins)].map((match) =>
      textAt(source, match.index + match[0].length),
    );
  });
  // One word is a name, and what begins with no letter goes on with another text.
  return [...new Set(found)].filter((text) => /^[A-Za-z].* /su.test(text) && text.length > 14);
}

/** Of which the value is a text of its own: each way has its row. */
const filled: Readonly<Record<string, readonly string[]>> = {
  "The program x7.": ["The program ended with exit code 1.", "The program was ended by SIGTERM."],
  "The cluster has no ValidatingAdmissionPolicy (x7/x7). x7": [
    "The cluster has no ValidatingAdmissionPolicy (x7/x7). Machines that are made past Millrace, with kubectl, are not refused by the cluster itself.",
  ],
};

test("every sentence of the driver's sources is said in Chinese", () => {
  const all = sentences().flatMap((text) => filled[text] ?? [text]);
  expect(all.length).toBeGreaterThan(150);
  expect(all).toContain(
    "The stop before this start is not over yet on the cluster. Ask again in a moment.",
  );
  expect(all.filter((text) => say(text) === undefined)).toEqual([]);
});
