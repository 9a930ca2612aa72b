/**
 * Of which customer a part of a page is, for the operator: every call inside names him, and times are
 * in his zone. Around it counts whom the operator acts for in this tab (acting.ts), if anybody.
 */
import { createContext, useContext } from "react";

import { acting, type Acting } from "./acting.ts";
import { useStore } from "./store.ts";

export const TenantContext = createContext<Acting | undefined>(undefined);

/** Another than that of who is signed in; `undefined` for one's own. */
export function useNamedTenant(): Acting | undefined {
  const acted = useStore(acting);
  return useContext(TenantContext) ?? acted;
}
