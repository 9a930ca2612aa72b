/** What a tenant may say about a lease that nobody uses: that he wants it, and that he wants it back. */
import { z } from "zod";

import { siteLabel } from "#flow/place/hosts-read.ts";
import type { Tx } from "#db/pool.ts";
import { instant } from "#db/row.ts";
import { sql } from "#db/sql.ts";
import { openLease } from "#flow/admit/lease.ts";
import { findRequest, type Request } from "#flow/admit/requests.ts";
import { present } from "#kernel/assert.ts";
import { Failure } from "#kernel/failure.ts";
import type { Shape } from "#kernel/shape.ts";

import { record } from "./apply.ts";
import { policies, rulesFor } from "./rules.ts";
import { beginning, saveWatch, watchedLease, type WatchedLease } from "./store.ts";

export const keepKinds = ["once", "always", "as_usual"] as const;
export type KeepKind = (typeof keepKinds)[number];

/**
 * `once` puts a warning off by one window; `always` takes the lease out for good, where the operator
 * allows it; `as_usual` takes that back.
 */
export async function askKeep(
  tx: Tx,
  ask: {
    readonly tenantId: string;
    readonly leaseId: string;
    readonly kind: KeepKind;
    readonly at: number;
  },
): Promise<void> {
  const { tenantId, leaseId, kind, at } = ask;
  // Locked, as the release is decided under the same lock.
  const { name, plan } = await openLease(tx, { tenantId, leaseId, at });
  if (plan === "subscription") {
    throw new Failure(
      "wrong_state",
      `${name} is paid for by the term: it is never released for idleness.`,
    );
  }
  const lease = await lockedWatch(tx, { tenantId, leaseId });
  const rules = rulesFor(await policies(tx), lease);
  if (kind === "always" && rules?.exemptions !== "allowed") {
    throw new Failure(
      "rule_violation",
      rules === undefined
        ? `The operator releases no leases like ${name} for idleness.`
        : "The operator lets no lease be kept for good; keep it once, each time that you are told.",
    );
  }
  const { watch } = lease;
  const isUnderWay = watch.standing.stage !== "watching";
  await saveWatch(
    tx,
    { tenantId, requestId: leaseId },
    {
      ...watch,
      standing: { ...watch.standing, stage: "watching", since: at, releaseAt: null },
      keptAt: at,
      exempt: kind === "always" || (kind === "once" && watch.exempt),
    },
  );
  if (kind === "always") await record(tx, lease, { kind: "exempted", note: "", now: at });
  // Without a warning there is nothing that is taken back.
  else if (isUnderWay) await record(tx, lease, { kind: "kept", note: "", now: at });
}

/** For new leases that something else takes away when nobody needs them: a group of leases. */
export async function exemptFromIdling(
  tx: Tx,
  of: { readonly tenantId: string; readonly requestId: string; readonly at: number },
): Promise<void> {
  const standing = { ...beginning.standing, since: of.at };
  await saveWatch(tx, of, { ...beginning, standing, exempt: true });
}

async function lockedWatch(
  tx: Tx,
  { tenantId, leaseId }: { readonly tenantId: string; readonly leaseId: string },
): Promise<WatchedLease> {
  // Looks do not take the request's lock.
  await tx.execute(sql`
    select from idle_watch where tenant_id = ${tenantId} and request_id = ${leaseId} for update`);
  return present(await watchedLease(tx, { tenantId, id: leaseId }), "the lease");
}

const keptRow = z.object({
  request_id: z.string(),
  site: z.string(),
  kept_until: instant.nullable(),
});

/** What a lease is made of that is to be as the snapshot was. */
export interface Restorable {
  readonly from: Request;
  readonly snapshotId: string;
  /** As it was, at the site that has the snapshot. */
  readonly shape: Shape;
}

/** Throws `not_found` for a snapshot that did not outlive its lease, or does not exist any more. */
export async function restorable(
  tx: Tx,
  key: { readonly tenantId: string; readonly snapshotId: string; readonly at: number },
): Promise<Restorable> {
  const { tenantId, snapshotId } = key;
  const found = await tx.maybe(
    sql`select s.request_id, i.site, s.kept_until from snapshot s
      join instance i on i.tenant_id = s.tenant_id and i.id = s.instance_id
      where s.tenant_id = ${tenantId} and s.id = ${snapshotId} and s.state = 'ready'
        and s.kept_until is not null
      for update of s`,
    keptRow,
  );
  if (found === undefined || (found.kept_until ?? 0) <= key.at) {
    throw new Failure(
      "not_found",
      "There is no such snapshot of a lease that was released for idleness, or its time is over.",
    );
  }
  const of = { tenantId, id: found.request_id, kind: "lease" } as const;
  const from = present(await findRequest(tx, of), "the lease of a snapshot");
  if (from.ended_at === null) {
    throw new Failure(
      "wrong_state",
      `${from.name} is still being released; try again in a moment.`,
    );
  }
  const hostLabels = { ...from.shape.hostLabels, [siteLabel]: found.site };
  return { from, snapshotId, shape: { ...from.shape, hostLabels } };
}

export async function recordRestored(
  tx: Tx,
  { from, shape }: Restorable,
  { leaseId, at }: { readonly leaseId: string; readonly at: number },
): Promise<void> {
  const { hourly } = from.price;
  const lease = {
    tenantId: from.tenant_id,
    requestId: from.id,
    name: from.name,
    shape,
    hourly: typeof hourly === "string" ? hourly : null,
  };
  await record(tx, lease, { kind: "restored", note: leaseId, now: at });
}
