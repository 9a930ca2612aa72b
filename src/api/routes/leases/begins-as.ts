/** A lease whose disk is a snapshot of another one's: what it takes over from it. */
import type { Request } from "#flow/admit/requests.ts";

export function beginsAs(from: Request) {
  return {
    projectId: from.project_id,
    kind: "lease",
    image: from.image,
    loginUser: from.login_user,
    // What it says was done when the first one was made, and is on the disk.
    userData: undefined,
    restart: from.restart,
    workload: undefined,
    plan: "on_demand",
  } as const;
}
