/**
 * Cursor pages. A cursor is opaque to callers: base64url of JSON, parsed by a schema when it comes
 * back, so that a changed one is refused. It carries a position and nothing that grants anything.
 */
import { z } from "zod";

import type { PageAsk, Position } from "#db/keyset.ts";
import { Failure } from "#kernel/failure.ts";

export function encodeCursor(position: unknown): string {
  return Buffer.from(JSON.stringify(position)).toString("base64url");
}

/** Throws `invalid_request`. */
export function decodeCursor<T>(cursor: string, schema: z.ZodType<T>): T {
  const parsed = schema.safeParse(jsonOf(cursor));
  if (parsed.success) return parsed.data;
  throw new Failure("invalid_request", "This cursor was not given out by this list.", {
    details: { fields: [{ in: "query", path: "cursor", message: "is not a cursor of this list" }] },
  });
}

function jsonOf(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, "base64url").toString());
  } catch {
    return undefined;
  }
}

/** Instants that a `Date` and the database hold. */
const positionSchema = z
  .tuple([z.int().min(0).max(253_402_300_799_999), z.uuid()])
  .transform(([at, id]): Position => ({ at, id }));

export interface PageQuery {
  readonly limit: number;
  readonly cursor?: string | undefined;
}

export interface Page<Item> {
  items: Item[];
  next?: string;
}

export interface PageSource<Row, Item> {
  /** At most `ask.limit` rows after `ask.after`, in the list's order (see db/keyset.ts). */
  readonly load: (ask: PageAsk) => Promise<Row[]>;
  readonly show: (row: Row) => Item;
  readonly positionOf: (row: Row) => Position;
}

/** One row more than asked is loaded: it says whether there is a next page. */
export async function pageOf<Row, Item>(
  { limit, cursor }: PageQuery,
  { load, show, positionOf }: PageSource<Row, Item>,
): Promise<Page<Item>> {
  const after = cursor === undefined ? undefined : decodeCursor(cursor, positionSchema);
  const rows = await load({ after, limit: limit + 1 });
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const items = shown.map(show);
  if (rows.length <= limit || last === undefined) return { items };
  const { at, id } = positionOf(last);
  return { items, next: encodeCursor([at, id]) };
}

/** For rows that are listed by `createdAt` and `id`. */
export async function pageByAge<
  Row extends { readonly createdAt: number; readonly id: string },
  Item,
>(
  query: PageQuery,
  load: (ask: PageAsk) => Promise<Row[]>,
  show: (row: Row) => Item,
): Promise<Page<Item>> {
  return pageOf(query, { load, show, positionOf: ({ createdAt, id }) => ({ at: createdAt, id }) });
}
