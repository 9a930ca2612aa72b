/** A profile that somebody edits: read a moment after he stopped typing, then checked by the server. */
import { useEffect, useState } from "react";

import { useApi } from "#console/api/queries.ts";

import type { Finding } from "./findings.tsx";
import { lineOf, readText } from "./profile-yaml.ts";

const pauseMs = 400;

export interface Problem {
  /** Of the text; undefined where the server names no place that is in it. */
  readonly line: number | undefined;
  readonly path: string;
  readonly message: string;
}

export type Check =
  | { readonly kind: "checking" }
  | { readonly kind: "unreadable"; readonly message: string }
  | { readonly kind: "failed"; readonly error: unknown; readonly retry: () => void }
  | {
      readonly kind: "checked";
      readonly profile: Readonly<Record<string, unknown>>;
      readonly problems: readonly Problem[];
      readonly findings: readonly Finding[];
    };

export function useCheck(text: string, name: string): Check {
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), pauseMs);
    return () => clearTimeout(timer);
  }, [text]);
  const read = readText(settled, name);
  const profile = "profile" in read ? read.profile : {};
  const check = useApi(
    "checkPriceProfile",
    { body: { profile } },
    { enabled: "profile" in read && settled !== "" },
  );
  if ("problem" in read) return { kind: "unreadable", message: read.problem };
  if (check.error !== null) {
    return { kind: "failed", error: check.error, retry: () => void check.refetch() };
  }
  if (settled !== text || check.data === undefined) return { kind: "checking" };
  const problems = check.data.problems.map(({ path, message }) => ({
    path,
    message,
    line: lineOf(settled, path),
  }));
  return { kind: "checked", profile, problems, findings: check.data.findings };
}
