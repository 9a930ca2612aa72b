/** All versions of the price profile, and which of them is in force today. */
import { useApi } from "#console/api/queries.ts";
import { useTimeZone } from "#console/api/session.ts";
import { todayIn } from "#console/components/date-range.tsx";
import { useNow } from "#console/components/when.tsx";

import { currentOf, type Version } from "./profile-state.ts";

/** Versions are few; there is one page of them. */
const versionsMax = 200;

export interface Versions {
  readonly query: ReturnType<typeof useVersionsQuery>;
  readonly versions: readonly Version[];
  readonly today: string;
  readonly current: Version | undefined;
}

function useVersionsQuery() {
  return useApi("listPriceProfiles", { query: { limit: versionsMax } });
}

export function useVersions(): Versions {
  const query = useVersionsQuery();
  const today = todayIn(useTimeZone(), useNow(true, 60_000));
  const versions = query.data?.items ?? [];
  return { query, versions, today, current: currentOf(versions, today) };
}
