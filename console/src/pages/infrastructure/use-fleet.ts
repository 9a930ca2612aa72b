/** All hosts of the cloud, whatever their number. */
import { useEffect } from "react";

import { usePages, type Pages } from "#console/api/queries.ts";

import type { Host } from "./fleet.ts";

/** Every page of the list, one after the other: sums need all. */
export function useAllHosts(): Pages<Host> {
  const pages = usePages("listHosts", { query: { limit: 200 } }, { everyMs: 30_000 });
  const { hasMore, isLoadingMore, loadMore } = pages;
  useEffect(() => {
    if (hasMore && !isLoadingMore) loadMore();
  }, [hasMore, isLoadingMore, loadMore]);
  return pages;
}
