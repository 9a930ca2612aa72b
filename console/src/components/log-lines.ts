/**
 * Lines out of a log's events (`{text}` or `{base64}`, ids ATTEMPT:OFFSET). What a terminal would
 * do to them is left out: colors and cursor moves go, a carriage return begins its line anew.
 */
import type { ServerEvent } from "#client/event-parser.ts";

export interface LogLines {
  readonly lines: readonly string[];
  /** The last line has not ended yet. */
  readonly isOpen: boolean;
  /** Older lines that are no longer kept here; the file has them. */
  readonly dropped: number;
  readonly attempt: string;
}

const linesMax = 100_000;
/** One line; what is longer is cut into several, so that no row is endless. */
const lineCharactersMax = 4000;

export const emptyLog: LogLines = { lines: [], isOpen: false, dropped: 0, attempt: "" };

export function withText(log: LogLines, event: Pick<ServerEvent, "id" | "data">): LogLines {
  const attempt = /^([0-9]+):/.exec(event.id)?.[1] ?? log.attempt;
  const isNext = log.attempt !== "" && attempt !== log.attempt;
  const before = isNext ? [...log.lines, `——— ${attempt} ———`] : log.lines;
  const isOpen = log.isOpen && !isNext;
  const text = textOf(event.data);
  if (text === "") return { ...log, lines: before, attempt, isOpen };
  const pieces = clean(text).split("\n");
  const endsLine = pieces.at(-1) === "";
  if (endsLine) pieces.pop();
  const lines = [...before];
  for (const [index, piece] of pieces.entries()) {
    const joined = index === 0 && isOpen ? `${lines.pop() ?? ""}${piece}` : piece;
    const shown = joined.slice(joined.lastIndexOf("\r") + 1);
    for (let at = 0; at === 0 || at < shown.length; at += lineCharactersMax) {
      lines.push(shown.slice(at, at + lineCharactersMax));
    }
  }
  const over = Math.max(0, lines.length - linesMax);
  return {
    lines: over === 0 ? lines : lines.slice(over),
    isOpen: !endsLine,
    dropped: log.dropped + over,
    attempt,
  };
}

/** Escape sequences of terminals, and other control characters but tab, newline, carriage return. */
// oxlint-disable no-control-regex -- they are what is taken out
const escapes = /\u001B(?:\[[0-9;?]*[ -/]*[@-~]|\][^\u0007\u001B]*(?:\u0007|\u001B\\)?|[@-Z\\-_])/g;
const controls = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F]/g;
// oxlint-enable no-control-regex

function clean(text: string): string {
  return text.replaceAll("\r\n", "\n").replaceAll(escapes, "").replaceAll(controls, "");
}

function textOf(data: string): string {
  const value: unknown = JSON.parse(data);
  if (typeof value === "string") return value;
  if (typeof value !== "object" || value === null) return "";
  if ("text" in value && typeof value.text === "string") return value.text;
  if ("base64" in value && typeof value.base64 === "string") {
    const bytes = Uint8Array.from(atob(value.base64), (letter) => letter.codePointAt(0) ?? 0);
    return new TextDecoder().decode(bytes);
  }
  return "";
}
