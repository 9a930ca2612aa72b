/** A list that is there whole, for a table that takes pages. */
import type { Pages } from "#console/api/queries.ts";

export function wholeList<Item>(items: readonly Item[]): Pages<Item> {
  return {
    items,
    isPending: false,
    isFetching: false,
    error: null,
    hasMore: false,
    isLoadingMore: false,
    loadMore: () => undefined,
    retry: () => undefined,
  };
}
