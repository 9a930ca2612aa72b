/**
 * Reads Go templates, the part of them that the chart uses: text, trimming, comments, `if`, `with`,
 * `range`, `define`, variables and pipelines. What it does not know it refuses, so that nothing is
 * rendered otherwise than Helm would.
 */
export type Node =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "print"; readonly value: Pipeline }
  | { readonly kind: "set"; readonly name: string; readonly value: Pipeline }
  | {
      readonly kind: "branch";
      /** `with` makes the value the dot. */
      readonly word: "if" | "with";
      readonly value: Pipeline;
      readonly yes: readonly Node[];
      readonly no: readonly Node[];
    }
  | {
      readonly kind: "range";
      readonly name: string | undefined;
      readonly value: Pipeline;
      readonly body: readonly Node[];
    };

/** Each command's value is the last argument of the next. */
export type Pipeline = readonly Command[];
export type Command = readonly Operand[];
export type Operand =
  | { readonly kind: "constant"; readonly value: string | number | boolean | null }
  | { readonly kind: "function"; readonly name: string }
  | { readonly kind: "path"; readonly from: Start; readonly fields: readonly string[] };
/** The dot, a variable (`$` is the one without a name), or a pipeline in parentheses. */
export type Start =
  | { readonly kind: "dot" }
  | { readonly kind: "variable"; readonly name: string }
  | { readonly kind: "group"; readonly value: Pipeline };

export interface Parsed {
  readonly nodes: readonly Node[];
  readonly defined: ReadonlyMap<string, readonly Node[]>;
}

const actionPattern =
  /\{\{(-(?=\s))?((?:"(?:[^"\\]|\\.)*"|`[^`]*`|\/\*[^]*?\*\/|[^"`])*?)(\s-)?\}\}/g;
const wordPattern =
  /\s+|"(?:[^"\\]|\\.)*"|`[^`]*`|-?\d+|\$?[A-Za-z_]\w*|\$|(?:\.[A-Za-z_]\w*)+|\.|:=|=|\||\(|\)|,/gy;

interface Piece {
  readonly action: boolean;
  readonly text: string;
}

export function parse(source: string): Parsed {
  const pieces = split(source);
  const defined = new Map<string, readonly Node[]>();
  let at = 0;

  /** Up to `end` or `else`, which it returns with the words after it. */
  function block(inside: boolean): { nodes: Node[]; ended: string[] } {
    const nodes: Node[] = [];
    for (; at < pieces.length; at += 1) {
      const piece = pieces[at];
      if (piece === undefined) break;
      if (!piece.action) {
        if (piece.text !== "") nodes.push({ kind: "text", text: piece.text });
        continue;
      }
      const words = wordsOf(piece.text);
      const [first = ""] = words;
      if (first === "end" || first === "else") {
        if (!inside) throw new Error(`{{${piece.text}}} closes nothing`);
        at += 1;
        return { nodes, ended: words };
      }
      const node = statement(words);
      if (node !== undefined) nodes.push(node);
    }
    if (inside) throw new Error("a block is not closed");
    return { nodes, ended: [] };
  }

  function statement(words: readonly string[]): Node | undefined {
    const [first = "", second = "", third] = words;
    if (words.length === 0) return undefined;
    if (first === "define") {
      at += 1;
      const { nodes, ended } = block(true);
      if (ended[0] !== "end") throw new Error("else in a define");
      at -= 1;
      defined.set(constantOf(second), nodes);
      return undefined;
    }
    if (first === "if" || first === "with") return branch(first, words.slice(1));
    if (first === "range") {
      const named = third === ":=" ? second : undefined;
      const value = pipeline(words.slice(named === undefined ? 1 : 3));
      at += 1;
      const { nodes, ended } = block(true);
      if (ended[0] !== "end") throw new Error("range … else is not known here");
      at -= 1;
      return { kind: "range", name: named, value, body: nodes };
    }
    if (second === ":=" || second === "=") {
      return { kind: "set", name: first, value: pipeline(words.slice(2)) };
    }
    return { kind: "print", value: pipeline(words) };
  }

  /** Leaves `at` on the closing `end`. */
  function branch(word: "if" | "with", condition: readonly string[]): Node {
    const value = pipeline(condition);
    at += 1;
    const { nodes, ended } = block(true);
    const [end, chained] = ended;
    let no: readonly Node[] = [];
    if (end === "else" && (chained === "if" || chained === "with")) {
      at -= 1;
      no = [branch(chained, ended.slice(2))];
      return { kind: "branch", word, value, yes: nodes, no };
    }
    if (end === "else") {
      const rest = block(true);
      if (rest.ended[0] !== "end") throw new Error("two else");
      no = rest.nodes;
    }
    at -= 1;
    return { kind: "branch", word, value, yes: nodes, no };
  }

  return { nodes: block(false).nodes, defined };
}

/** Text and actions in turn; spaces beside `{{-` and `-}}` are gone. */
function split(source: string): Piece[] {
  const pieces: Piece[] = [];
  let last = 0;
  let trims = false;
  const text = (until: number, trimsEnd: boolean): void => {
    let part = source.slice(last, until);
    if (part.includes("{{")) throw new Error(`cannot be read: ${part.slice(part.indexOf("{{"))}`);
    if (trims) part = part.trimStart();
    if (trimsEnd) part = part.trimEnd();
    pieces.push({ action: false, text: part });
  };
  for (const match of source.matchAll(actionPattern)) {
    const [whole, before, inside = "", after] = match;
    text(match.index, before !== undefined);
    const isComment = /^\s*\/\*[^]*\*\/\s*$/.test(inside);
    pieces.push({ action: true, text: isComment ? "" : inside });
    last = match.index + whole.length;
    trims = after !== undefined;
  }
  text(source.length, false);
  return pieces;
}

function wordsOf(text: string): string[] {
  const words: string[] = [];
  wordPattern.lastIndex = 0;
  while (wordPattern.lastIndex < text.length) {
    const start = wordPattern.lastIndex;
    const match = wordPattern.exec(text);
    if (match === null) throw new Error(`cannot be read: {{${text.slice(start)}}}`);
    // A field belongs to what it follows without a space: `$x.name`, `(…).name`.
    const glued = /^\.\w/.test(match[0]) && start > 0 && /[\w)$]/.test(text.charAt(start - 1));
    if (glued) words.push("glue");
    if (match[0].trim() !== "") words.push(match[0]);
  }
  return words;
}

function pipeline(words: readonly string[]): Pipeline {
  const commands: Command[] = [];
  let operands: Operand[] = [];
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? "";
    if (word === "|") {
      commands.push(operands);
      operands = [];
    } else if (word === "glue") {
      at += 1;
      const last = operands.pop();
      if (last?.kind !== "path") throw new Error(`a field of nothing: ${words.join(" ")}`);
      operands.push({ ...last, fields: [...last.fields, ...fieldsOf(words[at] ?? "")] });
    } else if (word === "(") {
      const end = closing(words, at);
      const from = { kind: "group", value: pipeline(words.slice(at + 1, end)) } as const;
      operands.push({ kind: "path", from, fields: [] });
      at = end;
    } else operands.push(operand(word));
  }
  commands.push(operands);
  if (commands.some(({ length }) => length === 0)) throw new Error(`empty: ${words.join(" ")}`);
  return commands;
}

function closing(words: readonly string[], open: number): number {
  let depth = 0;
  for (let at = open; at < words.length; at += 1) {
    if (words[at] === "(") depth += 1;
    if (words[at] === ")") depth -= 1;
    if (depth === 0) return at;
  }
  throw new Error(`a parenthesis is not closed: ${words.join(" ")}`);
}

function operand(word: string): Operand {
  if (/^["`]/.test(word)) return { kind: "constant", value: constantOf(word) };
  if (/^-?\d/.test(word)) return { kind: "constant", value: Number(word) };
  if (word === "true" || word === "false") return { kind: "constant", value: word === "true" };
  if (word === "nil") return { kind: "constant", value: null };
  if (word.startsWith("$")) {
    return { kind: "path", from: { kind: "variable", name: word }, fields: [] };
  }
  if (word.startsWith(".")) return { kind: "path", from: { kind: "dot" }, fields: fieldsOf(word) };
  if (/^[A-Za-z]/.test(word)) return { kind: "function", name: word };
  throw new Error(`not known here: ${word}`);
}

function fieldsOf(word: string): string[] {
  return word.split(".").filter((field) => field !== "");
}

function constantOf(word: string): string {
  if (word.startsWith("`")) return word.slice(1, -1);
  const value: unknown = JSON.parse(word);
  if (typeof value !== "string") throw new Error(`no string: ${word}`);
  return value;
}
