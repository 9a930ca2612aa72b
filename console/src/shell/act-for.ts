/** The operator begins to act for a customer, and goes to where he wants to do so. */
import { useNavigate } from "@tanstack/react-router";

import { actFor, type Acting } from "#console/api/acting.ts";
import type { LinkTarget } from "#console/ui/link.tsx";

export function useActFor(): (tenant: Acting, target: LinkTarget) => void {
  const navigate = useNavigate();
  return (tenant, { to, params = {}, search = {} }) => {
    actFor(tenant);
    // The project that was chosen is another tenant's.
    void navigate({ to, params, search: { ...search, project: undefined } });
  };
}
