/**
 * What a clone is asked of: a lease that has a machine, on a platform that can make another one of a
 * snapshot of it. The snapshot and the copy's request are written in one transaction, so neither is ever
 * there alone.
 */
import { z } from "zod";

import type { Tx } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { openLease } from "#flow/admit/lease.ts";
import { setReason, type Request } from "#flow/admit/requests.ts";
import { siteLabel } from "#flow/place/hosts-read.ts";
import { Failure } from "#kernel/failure.ts";
import type { Shape } from "#kernel/shape.ts";

import { awaitedCopies, copyingCode } from "./clone-rows.ts";
import { addEvent } from "./store.ts";

/** Of one lease at a time: each is a snapshot more that its platform keeps until the copy is there. */
export const clonesAtOnceMax = 4;

interface LeaseKey {
  readonly tenantId: string;
  readonly leaseId: string;
  readonly at: number;
}

const platformRow = z.object({
  site: z.string(),
  clone: z.object({ can: z.boolean(), because: z.string().optional() }).nullable(),
});

/** The lease that is copied, locked, and the site that its copy has to be at. */
export async function cloneable(
  tx: Tx,
  key: LeaseKey,
): Promise<{ readonly from: Request; readonly site: string }> {
  const from = await openLease(tx, key);
  const platform = await tx.maybe(
    sql`select i.site, s.capabilities->'clone' as clone
      from instance i join site s on s.name = i.site
      where i.tenant_id = ${key.tenantId} and i.request_id = ${key.leaseId} and i.state <> 'gone'`,
    platformRow,
  );
  if (platform === undefined) {
    throw new Failure(
      "wrong_state",
      `The lease ${from.name} has no machine yet, so there is no disk to copy. Rent another one like it instead.`,
    );
  }
  const { site, clone } = platform;
  if (clone?.can !== true) {
    const because = clone?.because ?? "its platform says nothing of it";
    throw new Failure("unsupported", `${from.name} cannot be cloned: ${because}.`);
  }
  const waiting = await awaitedCopies(tx, key);
  if (waiting.length >= clonesAtOnceMax) {
    throw new Failure(
      "wrong_state",
      `${from.name} is being cloned ${waiting.length} times already (${waiting.join(", ")}), and at most ${clonesAtOnceMax} at once; wait until one is there.`,
      { details: { cloning: waiting, atOnceMax: clonesAtOnceMax } },
    );
  }
  return { from, site };
}

/** The same, at the site that has the disk. */
export function atSite(shape: Shape, site: string): Shape {
  return { ...shape, hostLabels: { ...shape.hostLabels, [siteLabel]: site } };
}

/** Told on both, and why the copy waits. */
export async function recordClone(
  tx: Tx,
  of: {
    readonly from: Request;
    readonly leaseId: string;
    readonly name: string;
    readonly at: number;
  },
): Promise<void> {
  const { from, leaseId, name, at } = of;
  const tenantId = from.tenant_id;
  const event = { tenantId, kind: "clone", at };
  await addEvent(tx, {
    ...event,
    requestId: from.id,
    message: `Its disk is being copied for ${name}.`,
  });
  const message = `It is a copy of ${from.name}: the disk of that one is being copied.`;
  await addEvent(tx, { ...event, requestId: leaseId, message });
  await setReason(tx, { tenantId, id: leaseId, reason: { code: copyingCode, message } });
}

/** What its customer asks would destroy the disk that a copy waits for. */
export async function refuseWhileCloned(
  tx: Tx,
  key: { readonly tenantId: string; readonly leaseId: string },
): Promise<void> {
  const [name] = await awaitedCopies(tx, key);
  if (name === undefined) return;
  throw new Failure(
    "wrong_state",
    `Its disk is being copied for ${name}. Wait until ${name} runs, or release ${name} first.`,
    { details: { clone: name } },
  );
}
