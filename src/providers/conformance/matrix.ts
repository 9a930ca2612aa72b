/** The tables of docs/operate/PROVIDERS.md, made of recorded results. Pure. */
import type { Outcome, Results } from "./record.ts";

export function matrix(drivers: readonly Results[]): string {
  const notes = new Notes();
  const head = ["", ...drivers.map((driver) => driver.name)];
  const about = table(head, [
    ["tested against", ...drivers.map((driver) => driver.testedAgainst)],
    ["machines are", ...drivers.map((driver) => driver.execution)],
    ["`create` is safe by", ...drivers.map((driver) => driver.idempotency)],
  ]);
  const capabilities = [...new Set(drivers.flatMap((each) => Object.keys(each.capabilities)))];
  const can = table(
    ["can it", ...head.slice(1)],
    capabilities.map((name) => [
      inWords(name),
      ...drivers.map((driver) => {
        const because = driver.capabilities[name];
        if (because === undefined) return "not said";
        return because === null ? "yes" : `no ${notes.mark(because)}`;
      }),
    ]),
  );
  const titles = new Map(
    drivers.flatMap((driver) => driver.results.map(({ id, title }) => [id, title] as const)),
  );
  const does = table(
    ["does it", ...head.slice(1)],
    [...titles].map(([id, title]) => [
      `\`${id}\` ${title}`,
      ...drivers.map((driver) => {
        const result = driver.results.find((each) => each.id === id);
        return result === undefined ? "not run" : cell(result.ended, notes);
      }),
    ]),
  );
  return [about, can, does, notes.list()].filter((part) => part !== "").join("\n\n");
}

function cell(ended: Outcome, notes: Notes): string {
  switch (ended.outcome) {
    case "passed":
      return ended.note === undefined ? "passed" : `passed ${notes.mark(ended.note)}`;
    case "failed":
      return "**failed**";
    case "not_possible":
      return `not possible ${notes.mark(ended.because)}`;
    case "skipped":
      return `left out ${notes.mark(ended.because)}`;
  }
  return ended satisfies never;
}

/** Numbers each reason once, in the order of its first use. */
class Notes {
  readonly #texts: string[] = [];

  mark(text: string): string {
    if (!this.#texts.includes(text)) this.#texts.push(text);
    return `[${this.#texts.indexOf(text) + 1}]`;
  }

  list(): string {
    return this.#texts.map((text, index) => `- [${index + 1}] ${escape(text)}`).join("\n");
  }
}

/** With its columns aligned, which is what the formatter would make of it. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, ...rows].map((cells) => cells.map(escape));
  const widths = head.map((_, column) =>
    Math.max(3, ...lines.map((cells) => cells[column]?.length ?? 0)),
  );
  const [first, ...rest] = lines.map(
    (cells) => `| ${cells.map((text, column) => text.padEnd(widths[column] ?? 0)).join(" | ")} |`,
  );
  const rule = `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`;
  return [first, rule, ...rest].join("\n");
}

function escape(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll(/\s+/g, " ");
}

/** `resizeCpuLive` becomes `resize cpu live`. */
function inWords(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

const begin = "<!-- matrix: written by npm run providers:matrix -->";
const end = "<!-- /matrix -->";

/** The document with its matrix replaced. Throws if it has no place for one. */
export function withMatrix(document: string, content: string): string {
  const from = document.indexOf(begin);
  const until = document.indexOf(end);
  if (from === -1 || until < from) throw new Error(`the document lacks ${begin} … ${end}`);
  return `${document.slice(0, from)}${begin}\n\n${content}\n\n${document.slice(until)}`;
}
