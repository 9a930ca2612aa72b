/** Lists: so many items, and a word where there are more or none. */
import { table, type Column } from "./table.ts";

export interface Found<T> {
  readonly items: T[];
  /** Whether there are more than were asked for. */
  readonly more: boolean;
}

export async function collect<T>(
  items: AsyncIterable<T>,
  { limit, keep = () => true }: { readonly limit: number; readonly keep?: (item: T) => boolean },
): Promise<Found<T>> {
  const kept: T[] = [];
  for await (const item of items) {
    if (!keep(item)) continue;
    if (kept.length === limit) return { items: kept, more: true };
    kept.push(item);
  }
  return { items: kept, more: false };
}

export function listText<T>(
  columns: readonly Column<T>[],
  { items, more }: Found<T>,
  nothing: string,
): string {
  if (items.length === 0) return `${nothing}\n`;
  const note = more ? `There are more than these ${items.length}: add --limit.\n` : "";
  return `${table(columns, items)}${note}`;
}
