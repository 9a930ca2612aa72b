/** Label and field selectors, as lists and watches take them. */
import type { Document } from "./document.ts";
import { at } from "./json.ts";
import { badRequest } from "./refusal.ts";

export type Matcher = (document: Document) => boolean;

export function matcher(labels: string | null, fields: string | null): Matcher {
  const tests = [...labelTests(labels ?? ""), ...fieldTests(fields ?? "")];
  return (document) => tests.every((test) => test(document));
}

/** `a=b`, `a!=b`, `a in (b,c)`, `a notin (b,c)`, `a`, `!a`, with commas between. */
function labelTests(selector: string): Matcher[] {
  return split(selector).map((term) => {
    const set = /^(\S+)\s+(in|notin)\s*\(([^)]*)\)$/.exec(term);
    if (set !== null) {
      const [, key = "", how, list = ""] = set;
      const values = new Set(list.split(",").map((value) => value.trim()));
      return label(key, (value) => (value !== undefined && values.has(value)) === (how === "in"));
    }
    const unequal = /^([^!=\s]+)\s*!=\s*(\S*)$/.exec(term);
    if (unequal !== null) return label(unequal[1] ?? "", (value) => value !== unequal[2]);
    const equals = /^([^!=\s]+)\s*==?\s*(\S*)$/.exec(term);
    if (equals !== null) return label(equals[1] ?? "", (value) => value === equals[2]);
    if (/^![^!=\s]+$/.test(term)) return label(term.slice(1), (value) => value === undefined);
    if (/^[^!=\s]+$/.test(term)) return label(term, (value) => value !== undefined);
    throw badRequest(`unable to parse requirement: ${term}`);
  });
}

function label(key: string, accepts: (value: string | undefined) => boolean): Matcher {
  return (document) => accepts(document.metadata.labels?.[key]);
}

function fieldTests(selector: string): Matcher[] {
  return split(selector).map((term) => {
    const [, path = "", not, value = ""] = /^([\w.]+)(!?)==?(.*)$/.exec(term) ?? [];
    if (path === "") throw badRequest(`invalid field selector: ${term}`);
    return (document) => {
      const found = at(document, ...path.split("."));
      const said = typeof found === "string" ? found : "";
      return (said === value) !== (not === "!");
    };
  });
}

/** At commas that are not within parentheses. */
function split(selector: string): string[] {
  return selector
    .split(/,(?![^(]*\))/)
    .map((term) => term.trim())
    .filter((term) => term !== "");
}
