/**
 * What the README, the pages under docs/ and the program's own help tell people to type exists: the
 * command, its options, and no more arguments than it takes.
 */
import { readdir, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { Writable } from "node:stream";

import type { Command } from "commander";
import { expect, test } from "vitest";

import { readEnvironment } from "#cli/environment.ts";
import { buildProgram } from "#cli/program.ts";

const root = resolve(import.meta.dirname, "..");
/** Commands of bin/ and of the server, which have a parser of their own. */
const elsewhere = new Set(["backup", "restore", "doctor", "help"]);

let printed = "";
const sink = new Writable({
  write: (chunk, _encoding, done) => {
    printed += String(chunk);
    done();
  },
});
const program = buildProgram({
  surroundings: {
    environment: readEnvironment({}),
    signal: new AbortController().signal,
    stdout: sink,
    stderr: sink,
    setExitCode: () => undefined,
  },
  rest: [],
});

/** Undefined where it could be typed. */
function wrongWith(line: string): string | undefined {
  const words = wordsOf(line);
  let { command, rest } = { command: program, rest: words };
  for (;;) {
    const { operands, unknown } = command.parseOptions(rest);
    const [name, ...after] = [...operands, ...unknown];
    const next = command.commands.find(
      (each) => each.name() === name || each.aliases().includes(name ?? ""),
    );
    if (name !== undefined && elsewhere.has(name)) return undefined;
    if (next === undefined) return wrongHere(command, { operands, unknown });
    [command, rest] = [next, after];
  }
}

function wrongHere(
  command: Command,
  { operands, unknown }: { readonly operands: string[]; readonly unknown: string[] },
): string | undefined {
  if (unknown.includes("--help")) return undefined;
  const [stranger] = unknown;
  if (stranger !== undefined) return `${command.name()} has no ${stranger}`;
  const takes = command.registeredArguments;
  const [first] = operands;
  if (command.commands.length > 0 && takes.length === 0 && first !== undefined) {
    return `${command.name()} has no command ${first}`;
  }
  const isOpen = takes.some(({ variadic }) => variadic);
  return isOpen || operands.length <= takes.length
    ? undefined
    : `${command.name()} takes ${takes.length} arguments`;
}

/** Up to a comment, a pipe, a redirection or `--`, after which another program's words begin. */
function wordsOf(line: string): string[] {
  const [own = ""] = line.split(/ -- |\s+[|#>]|\s{2,}|…|\[/);
  return [...own.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
    ([, single, double, plain]) => single ?? double ?? plain ?? "",
  );
}

async function pages(): Promise<string[]> {
  const all = await readdir(join(root, "docs"), { recursive: true });
  const docs = all.filter((name) => name.endsWith(".md")).map((name) => join("docs", name));
  return ["README.md", "README.zh-CN.md", ...docs];
}

test("what the pages tell people to type exists", async () => {
  const wrong: string[] = [];
  let seen = 0;
  for (const page of await pages()) {
    const text = await readFile(join(root, page), "utf8");
    for (const [, line = ""] of text.matchAll(/(?:^ {4}|`)(?:npx |\.\/)?millrace ([^`\n]+)/gm)) {
      seen += 1;
      const problem = wrongWith(line);
      if (problem !== undefined) wrong.push(`${page}: ${line}: ${problem}`);
    }
  }
  expect(seen).toBeGreaterThan(50);
  expect(wrong).toEqual([]);
});

test("what the help gives as examples exists", () => {
  const walk = (command: Command): Command[] => [command, ...command.commands.flatMap(walk)];
  const wrong: string[] = [];
  let seen = 0;
  for (const command of walk(program)) {
    printed = "";
    command.outputHelp();
    const [, ...after] = printed.split("Examples:\n");
    for (const [, line = ""] of after.join("").matchAll(/^ {2}millrace (.+)$/gm)) {
      seen += 1;
      const problem = wrongWith(line);
      if (problem !== undefined) wrong.push(`${line}: ${problem}`);
    }
    for (const [, line = ""] of printed.matchAll(/'millrace ([^']+)'/g)) {
      const problem = wrongWith(line);
      if (problem !== undefined) wrong.push(`${command.name()} says ${line}: ${problem}`);
    }
  }
  expect(seen).toBeGreaterThan(50);
  expect(wrong).toEqual([]);
});
