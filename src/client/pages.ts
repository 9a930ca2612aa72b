/** All pages of a list, one after the other, never more than `itemsMax` items. */
import { z } from "zod";

import { Failure } from "#kernel/failure.ts";

import type { CallOptions, LooseRequest } from "./types.ts";

export interface PageOptions extends CallOptions {
  readonly itemsMax?: number;
}

const itemsMaxDefault = 100_000;
const pageItemsMax = 200;

const pageShape = z.object({ items: z.array(z.unknown()), next: z.string().optional() });

export async function* pagesOf(
  fetchPage: (query: Readonly<Record<string, unknown>>) => Promise<unknown>,
  request: LooseRequest,
  { itemsMax = itemsMaxDefault }: PageOptions,
): AsyncGenerator<unknown, void, undefined> {
  let left = itemsMax;
  let cursor: string | undefined;
  while (left > 0) {
    const limit = Math.min(left, pageItemsMax);
    const page = pageShape.parse(
      await fetchPage({ limit, ...request.query, ...(cursor === undefined ? {} : { cursor }) }),
    );
    for (const item of page.items.slice(0, left)) yield item;
    left -= page.items.length;
    if (page.next === undefined) return;
    if (page.next === cursor) {
      throw new Failure("internal", "The server's next page is the page itself.");
    }
    cursor = page.next;
  }
}
