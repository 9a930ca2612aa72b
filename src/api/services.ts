/**
 * What handlers need besides the database. `main.ts` composes it; a handler that needs something
 * more adds a field here, with the narrowest interface that serves it.
 */
import type { z } from "zod";

import type * as platform from "#contract/schemas/platform.ts";
import type { Changes } from "#db/changes.ts";
import type { Tx } from "#db/pool.ts";
import type { Holding } from "#identity/projects.ts";
import type { PaymentMethod } from "#payments/provider.ts";

export interface Services {
  readonly system: SystemView;
  readonly projects: ProjectUse;
  /** Of the tenants' storage (src/storage). */
  readonly storageDirectory: string;
  /** Ways to pay that this installation offers. */
  readonly paymentMethods: readonly PaymentMethod[];
  /** For handlers that wait. */
  readonly changes: Changes;
}

/** What `getSystem` and `getReadiness` show. */
export interface SystemView {
  readonly version: string;
  readonly startedAt: number;
  sites(signal: AbortSignal): Promise<z.output<typeof platform.site>[]>;
  loops(): z.output<typeof platform.loopStatus>[];
  waits(signal: AbortSignal): Promise<z.output<typeof platform.system>["waits"]>;
  findings(signal: AbortSignal): Promise<z.output<typeof platform.system>["findings"]>;
  /** Besides the database, which the API asks itself. */
  checks(signal: AbortSignal): Promise<z.output<typeof platform.readiness>["checks"]>;
}

/** What a project still holds, so that only an empty one can be removed. */
export interface ProjectUse {
  holdings(tx: Tx, project: { tenantId: string; projectId: string }): Promise<readonly Holding[]>;
}
