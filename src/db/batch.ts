/**
 * Several statements in one round trip and one transaction: they are sent together and end with one
 * Sync, which is what commits (PostgreSQL, "Pipelining" in the extended query protocol). When one
 * fails, PostgreSQL skips the rest of the batch.
 *
 * Each statement is prepared once per connection under a name, and the columns of its result are
 * asked for only then: for a prepared statement they never change (PostgreSQL refuses to run it
 * when they would).
 */
import type pg from "pg";
import { types } from "pg";

import type { Parameter } from "./parameters.ts";

export interface Statement {
  /** Unique to the text; without one it is prepared anew each time. */
  readonly name: string | undefined;
  readonly text: string;
  readonly parameters: readonly Parameter[];
}

export interface StatementResult {
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  readonly rowCount: number;
}

interface Column {
  readonly name: string;
  readonly parse: (text: string) => unknown;
}

/** By the name of the statement; `undefined` until the server has described its columns. */
type Prepared = Map<string, readonly Column[] | undefined>;

const preparedOn = new WeakMap<pg.Connection, Prepared>();

interface Part {
  readonly statement: Statement;
  readonly rows: Record<string, unknown>[];
  /** As they came with this batch, if they did. */
  columns: readonly Column[] | undefined;
}

/** What the driver needs of a query of one's own, and what it tells it. */
export class Batch implements pg.Submittable {
  readonly #parts: readonly Part[];
  readonly #done: (results: readonly StatementResult[]) => void;
  readonly #failed: (error: unknown) => void;
  readonly #results: StatementResult[] = [];
  #prepared: Prepared = new Map();
  #mishap: unknown;

  constructor(
    statements: readonly Statement[],
    outcome: {
      readonly done: (results: readonly StatementResult[]) => void;
      /** The connection may be of no more use then. */
      readonly failed: (error: unknown) => void;
    },
  ) {
    this.#parts = statements.map((statement) => ({ statement, rows: [], columns: undefined }));
    this.#done = outcome.done;
    this.#failed = outcome.failed;
  }

  submit(connection: pg.Connection): void {
    this.#prepared = preparedOn.get(connection) ?? new Map();
    preparedOn.set(connection, this.#prepared);
    // One write instead of one for each message.
    connection.stream.cork();
    for (const { statement } of this.#parts) {
      const { name = "", text, parameters } = statement;
      if (name === "" || !this.#prepared.has(name)) {
        if (name !== "") this.#prepared.set(name, undefined);
        connection.parse({ name, text, types: [] }, true);
        connection.describe({ type: "S", name }, true);
      }
      connection.bind({ statement: name, values: [...parameters] }, true);
      connection.execute({}, true);
    }
    connection.sync();
    connection.stream.uncork();
  }

  handleRowDescription({ fields }: { readonly fields: readonly pg.FieldDef[] }): void {
    const part = this.#current();
    if (part === undefined) return;
    const { name } = part.statement;
    part.columns = fields.map((field) => ({ name: field.name, parse: parserOf(field.dataTypeID) }));
    if (name !== undefined) this.#prepared.set(name, part.columns);
  }

  handleDataRow({ fields }: { readonly fields: readonly (string | null)[] }): void {
    const part = this.#current();
    if (part === undefined) return;
    part.columns ??= this.#prepared.get(part.statement.name ?? "");
    const row: Record<string, unknown> = {};
    try {
      part.columns?.forEach(({ name, parse }, index) => {
        const text = fields[index] ?? null;
        row[name] = text === null ? null : parse(text);
      });
      part.rows.push(row);
    } catch (error) {
      this.#mishap = error;
    }
  }

  handleCommandComplete({ text }: { readonly text: string }): void {
    const rows = this.#current()?.rows ?? [];
    this.#results.push({ rows, rowCount: Number(/\d+$/.exec(text)?.[0] ?? 0) });
  }

  handleEmptyQuery(): void {
    this.#results.push({ rows: [], rowCount: 0 });
  }

  handleError(error: unknown): void {
    this.#failed(error);
  }

  handleReadyForQuery(): void {
    if (this.#mishap === undefined) this.#done(this.#results);
    else this.#failed(this.#mishap);
  }

  /** Results come in the order of the statements. */
  #current(): Part | undefined {
    return this.#parts[this.#results.length];
  }
}

function parserOf(dataTypeId: number): (text: string) => unknown {
  const parse: (text: string) => unknown = types.getTypeParser(dataTypeId, "text");
  return parse;
}
