/** The findings as lines for a person or as JSON for a program. */
import { verdictOf, type Finding } from "./judge.ts";

const marks = { ok: "ok     ", warning: "warning", problem: "PROBLEM" } as const;
const summaries = {
  ok: "Everything is in order.",
  warning: "Millrace runs here; the warnings say what would make it better.",
  problem: "Millrace cannot run well here until the problems are solved.",
} as const;

export function reportText(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map(({ check }) => check.length));
  const lines = findings.flatMap(({ check, verdict, says, todo }) => [
    `${marks[verdict]}  ${check.padEnd(width)}  ${says}`,
    ...(todo === undefined ? [] : [`${" ".repeat(9 + width)}  -> ${todo}`]),
  ]);
  return `${lines.join("\n")}\n\n${summaries[verdictOf(findings)]}\n`;
}

export function reportJson(findings: readonly Finding[]): string {
  return `${JSON.stringify({ verdict: verdictOf(findings), findings }, undefined, 2)}\n`;
}
