/**
 * A new member of a group: a lease like any other, with the quota, the credit, the rules and the price
 * of a lease that its customer would rent at this moment. In one transaction with its seat, so that no
 * number is ever given twice, nor a lease left without one.
 */
import { v7 as newId } from "uuid";

import { audit } from "#audit/audit.ts";
import { offeredFlavor } from "#catalog/flavors.ts";
import { usableImage } from "#catalog/images.ts";
import { pricesAt } from "#catalog/price-profiles.ts";
import { requireAgreements } from "#customers/agreements.ts";
import { queueClass } from "#customers/benefits.ts";
import { tierAt } from "#customers/tier-store.ts";
import type { Tx } from "#db/pool.ts";
import { requireMeans } from "#dunning/require.ts";
import { ledgerCredit } from "#flow/admit/credit.ts";
import { priceOf, type ShownPrice } from "#flow/admit/price.ts";
import { shapeOf, withDriverOf } from "#flow/admit/shape.ts";
import { admitWork, type Priced } from "#flow/admit/work.ts";
import { hasPackageCredit } from "#flow/ledger/package-credit.ts";
import { couldEverFit } from "#flow/place/decide.ts";
import { wantsImage } from "#flow/place/host-images.ts";
import { keptHosts } from "#flow/place/kept-hosts.ts";
import { projectForWork } from "#identity/projects.ts";
import { exemptFromIdling } from "#idle/asks.ts";
import { Failure } from "#kernel/failure.ts";
import type { Shape } from "#kernel/shape.ts";

import { join, tell, type Group } from "./rows.ts";

/** Longest name of a group: that of a member is a DNS label, with a number up to 999 behind. */
export function memberName(group: string, ordinal: number): string {
  return `${group}-${ordinal}`;
}

export interface Made {
  readonly shape: Shape;
  readonly price: Priced & { readonly shown: ShownPrice };
  readonly loginUser: string;
}

/** What a member would be, at today's price; throws what stands in the way of any. */
export async function memberOf(
  tx: Tx,
  { tenantId, template }: Pick<Group, "tenantId" | "template">,
  now: number,
): Promise<Made> {
  const image = await usableImage(tx, template.image);
  const flavor = await offeredFlavor(tx, template.flavor);
  const { diskGiB } = template;
  const shape = withDriverOf(shapeOf(flavor, diskGiB === null ? {} : { diskGiB }), image);
  const hosts = await keptHosts(tx);
  const ask = { tenantId, shape, ...wantsImage(hosts, image.name) };
  const possible = hosts.length === 0 ? undefined : couldEverFit(hosts, ask);
  if (possible?.placed === false) {
    const { message, details } = possible.reason;
    throw new Failure("unplaceable", message, { details: { ...details } });
  }
  const price = priceOf(await pricesAt(tx, now), shape);
  return { shape, price, loginUser: image.defaultUser };
}

/** Throws the refusal. The group is locked. */
export async function admitMember(
  tx: Tx,
  group: Group,
  { ordinal, now }: { readonly ordinal: number; readonly now: number },
): Promise<void> {
  const { tenantId, template } = group;
  const project = await projectForWork(tx, tenantId, group.projectId);
  await requireAgreements(tx, tenantId);
  await requireMeans(tx, { tenantId, kind: "lease" });
  const { shape, price, loginUser } = await memberOf(tx, group, now);
  const tier = await tierAt(tx, tenantId, now);
  const name = memberName(group.name, ordinal);
  const { requestId } = await admitWork(tx, ledgerCredit, {
    tenantId,
    projectId: project.id,
    userId: group.createdBy,
    kind: "lease",
    name,
    shape,
    image: template.image,
    loginUser,
    sshKeys: template.sshKeys,
    userData: template.userData ?? undefined,
    restart: template.restart,
    priority: queueClass({ tier, packageCredit: await hasPackageCredit(tx, tenantId) }),
    workload: undefined,
    plan: "on_demand",
    price,
    at: now,
  });
  await join(tx, { ...group, leaseId: requestId, ordinal, at: now });
  // What nobody uses goes by the group's own rules.
  await exemptFromIdling(tx, { tenantId, requestId, at: now });
  await tell(
    tx,
    { ...group, at: now },
    {
      kind: "member_added",
      message: `${name} was rented, at ${price.shown.hourly ?? "-"} CNY an hour.`,
      details: { leaseId: requestId, ordinal },
    },
  );
  await auditMember(tx, group, { action: "lease.create", leaseId: requestId, name, now });
}

export async function auditMember(
  tx: Tx,
  { tenantId, id, name: group }: Pick<Group, "tenantId" | "id" | "name">,
  of: {
    readonly action: "lease.create" | "lease.release";
    readonly leaseId: string;
    readonly name: string;
    readonly now: number;
  },
): Promise<void> {
  await audit(tx, {
    tenantId,
    actor: { kind: "system", name: `group ${group}` },
    action: of.action,
    target: of.leaseId,
    outcome: "done",
    requestId: newId(),
    details: { name: of.name, groupId: id },
    at: of.now,
  });
}
