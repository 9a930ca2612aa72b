/**
 * What the address holds: filters, tabs, ranges. A page names what it reads with a check for each;
 * what fails the check counts as not there, so a stale or foolish link still shows the page.
 */
import { useLocation, useNavigate, useParams } from "@tanstack/react-router";
import { useCallback } from "react";

export type Check<T> = (text: string) => T | undefined;

type Spec = Readonly<Record<string, Check<string>>>;
type ValuesOf<S extends Spec> = { readonly [K in keyof S]: ReturnType<S[K]> | undefined };
type Changes<S extends Spec> = { readonly [K in keyof S]?: string | undefined };

export function oneOf<const T extends string>(allowed: readonly T[]): Check<T> {
  return (text) => allowed.find((each) => each === text);
}

export function anyText(charactersMax: number): Check<string> {
  return (text) => (text === "" ? undefined : text.slice(0, charactersMax));
}

/** A month, 2026-05, or a day, 2026-05-04. */
export const monthText: Check<string> = (text) =>
  /^[0-9]{4}-(?:0[1-9]|1[0-2])$/.test(text) ? text : undefined;
export const dayText: Check<string> = (text) =>
  /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/.test(text) && !Number.isNaN(Date.parse(text)) ? text : undefined;

/** A change replaces the entry in the history, unless it is a step that one wants to go back from. */
export function useSearchParams<const S extends Spec>(
  spec: S,
): readonly [ValuesOf<S>, (changes: Changes<S>, as?: "replace" | "step") => void];
export function useSearchParams(
  spec: Spec,
): readonly [
  Readonly<Record<string, string | undefined>>,
  (changes: Readonly<Record<string, string | undefined>>, as?: "replace" | "step") => void,
] {
  const { searchStr } = useLocation();
  const navigate = useNavigate();
  const given = new URLSearchParams(searchStr);
  const values: Record<string, string | undefined> = {};
  for (const [name, check] of Object.entries(spec)) {
    const text = given.get(name);
    values[name] = text === null ? undefined : check(text);
  }
  const change = useCallback(
    (changes: Readonly<Record<string, string | undefined>>, as: "replace" | "step" = "replace") => {
      void navigate({
        to: ".",
        search: (before: object) => ({ ...before, ...changes }),
        replace: as === "replace",
        resetScroll: false,
      });
    },
    [navigate],
  );
  return [values, change];
}

/** What stands in the place of `$name` in the page's path. */
export function usePathParam(name: string): string {
  const params: Readonly<Record<string, string | undefined>> = useParams({ strict: false });
  return params[name] ?? "";
}
