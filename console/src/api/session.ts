/** Who is signed in, what he may do, and in which zone his days are; known inside the frame. */
import { createContext, useContext } from "react";
import type { AnswerOf } from "#client/types.ts";
import type { Permission } from "#contract/operation.ts";

import { useNamedTenant } from "./tenant.ts";

export type Who = AnswerOf<"whoami">;

export const SessionContext = createContext<Who | undefined>(undefined);

/** Inside the frame only. */
export function useSession(): Who {
  const who = useContext(SessionContext);
  if (who === undefined) throw new Error("useSession outside of the frame");
  return who;
}

export function useMay(): (permission: Permission) => boolean {
  const { permissions } = useSession();
  return (permission) => permission === "public" || permissions.includes(permission);
}

/** The zone of all times shown: the tenant's, in which its days and bills are made. */
export function useTimeZone(): string {
  const named = useNamedTenant();
  const who = useContext(SessionContext);
  return (
    named?.timeZone ?? who?.tenant.timeZone ?? Intl.DateTimeFormat().resolvedOptions().timeZone
  );
}
