/**
 * Sentences of the server in the reader's language. The API tells cases apart by codes and says the
 * rest in English sentences; who reads Chinese gets ours for them, from tables by the server's own
 * sentence (zh-CN/said/). A test holds the tables against the server's sources. A sentence that no
 * table has is shown as the server said it: true in English is better than nothing in Chinese.
 *
 * `{name}` stands for anything and is kept; `{*name}`, in either, is a list of parts, which are
 * translated one by one.
 */
export type Said = readonly (readonly [english: string, ours: string])[];
export type Say = (text: string) => string | undefined;

interface Rule {
  readonly pattern: RegExp;
  readonly names: readonly string[];
  readonly lists: ReadonlySet<string>;
  readonly ours: string;
}

/** Longer is nobody's sentence, and not worth the search. */
const charactersMax = 2000;
/** Anything, also nothing, but not the next sentence. */
const anything = String.raw`((?:(?!\. [A-Z]).)*?)`;
const mark = /\{(\*?)([a-zA-Z]+)\}/g;

export function sayer(tables: readonly Said[]): Say {
  const rules = tables.flat().map(([english, ours]) => ruleOf(english, ours));
  /** One part with a comma in it is still one part. */
  const exact = new Map(tables.flat());
  const whole: Say = (text) => {
    for (const rule of rules) {
      const match = rule.pattern.exec(text);
      if (match !== null) return filled(rule, match.slice(1), listed);
    }
    return undefined;
  };
  const listed = (text: string): string => {
    const known = exact.get(text);
    if (known !== undefined) return known;
    const separator = text.includes("; ") ? "; " : ", ";
    const parts = text.split(separator).map((part) => whole(part) ?? part);
    return parts.join(separator === "; " ? "；" : "、");
  };
  return (text) => {
    if (text.length > charactersMax) return undefined;
    return whole(text) ?? sentences(text, whole);
  };
}

/** Several sentences, each of which must be known: half a translation is worse than none. */
function sentences(text: string, whole: Say): string | undefined {
  const pieces = text.split(/(?<=\.) (?=[A-Z])/);
  if (pieces.length < 2) return undefined;
  const said: string[] = [];
  for (let from = 0; from < pieces.length;) {
    let taken = 0;
    for (let until = pieces.length; until > from && taken === 0; until -= 1) {
      const ours =
        until - from === pieces.length ? undefined : whole(pieces.slice(from, until).join(" "));
      if (ours === undefined) continue;
      said.push(ours);
      taken = until - from;
    }
    if (taken === 0) return undefined;
    from += taken;
  }
  return said.join("");
}

function ruleOf(english: string, ours: string): Rule {
  const names: string[] = [];
  const lists = new Set<string>();
  let pattern = "";
  let at = 0;
  for (const match of english.matchAll(mark)) {
    const [all, star, name = ""] = match;
    pattern += `${escaped(english.slice(at, match.index))}${anything}`;
    at = match.index + all.length;
    names.push(name);
    if (star === "*") lists.add(name);
  }
  for (const [, star, name = ""] of ours.matchAll(mark)) if (star === "*") lists.add(name);
  pattern += escaped(english.slice(at));
  return { pattern: new RegExp(`^${pattern}$`, "s"), names, lists, ours };
}

function escaped(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}

function filled(
  { names, lists, ours }: Rule,
  values: readonly string[],
  listed: (text: string) => string,
): string {
  return ours.replaceAll(mark, (_all, _star, name: string) => {
    const value = values[names.indexOf(name)] ?? "";
    return lists.has(name) ? listed(value) : value;
  });
}
