/** The answers of a list that came in pages, as the cache has them. */
import { isRecord } from "./problem.ts";

interface Paged {
  readonly pages: readonly unknown[];
}

interface Identified {
  readonly id: string;
}

export function isPaged(data: unknown): data is Paged {
  return isRecord(data) && Array.isArray(data["pages"]);
}

export function hasItem(data: unknown, id: string): boolean {
  return isPaged(data) && data.pages.some((page) => placeIn(page, id) >= 0);
}

/** With this in the place of what has its id; all else is the same, in the same order. */
export function withItem(data: unknown, item: Identified): unknown {
  if (!isPaged(data)) return data;
  return {
    ...data,
    pages: data.pages.map((page) => {
      const place = placeIn(page, item.id);
      return place < 0 || !isRecord(page)
        ? page
        : { ...page, items: itemsOf(page).with(place, item) };
    }),
  };
}

function placeIn(page: unknown, id: string): number {
  return itemsOf(page).findIndex((item) => isRecord(item) && item["id"] === id);
}

function itemsOf(page: unknown): readonly unknown[] {
  const items = isRecord(page) ? page["items"] : undefined;
  return Array.isArray(items) ? items : [];
}
