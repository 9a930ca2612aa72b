/** Rents a machine that begins as a copy of another one's disk. */
import type { Handler } from "#api/handler.ts";
import { priorityOf } from "#api/routes/priority.ts";
import { offeredFlavor } from "#catalog/flavors.ts";
import { images } from "#catalog/images.ts";
import type { Operations } from "#contract/operations.ts";
import { requireAgreements } from "#customers/agreements.ts";
import { requireMeans } from "#dunning/require.ts";
import { ledgerCredit } from "#flow/admit/credit.ts";
import { priceOf } from "#flow/admit/price.ts";
import { shapeOf, withDriverOf } from "#flow/admit/shape.ts";
import { admitWork } from "#flow/admit/work.ts";
import { atSite, cloneable, recordClone } from "#flow/provision/clone-asks.ts";
import { askSnapshotToClone } from "#flow/provision/snapshot-asks.ts";
import { chosenSshKeys } from "#identity/ssh-keys.ts";
import type { Flavor } from "#contract/schemas/catalog.ts";
import { Failure } from "#kernel/failure.ts";
import { askedDiskGiB } from "#kernel/flavor-disk.ts";
import type { Shape } from "#kernel/shape.ts";

import { beginsAs } from "./begins-as.ts";
import { impossibleOn, keyOf } from "./leases.ts";
import { pricesNow } from "./quote.ts";
import { leaseOf, showOperation } from "./show.ts";

export const cloneLease: Handler<Operations["cloneLease"]> = async ({ params, body }, context) => {
  const { tx, tenantId, principal } = context;
  const { name } = body;
  const at = context.now();
  const key = keyOf(context, params.leaseId);
  const { from, site } = await cloneable(tx, key);
  await requireAgreements(tx, tenantId);
  await requireMeans(tx, { tenantId, kind: "lease" });
  // As for any new lease: what is offered now, at today's price.
  const flavor = await offeredFlavor(tx, body.flavor ?? from.shape.flavor);
  const image = (await images(tx)).find((each) => each.name === from.image);
  const sized = shapeOf(flavor, { diskGiB: diskFor(from.shape, flavor, body.diskGiB) });
  const shape = atSite(image === undefined ? sized : withDriverOf(sized, image), site);
  const impossible = await impossibleOn(context, shape);
  const keys =
    body.sshKeys === undefined
      ? undefined
      : await chosenSshKeys(tx, { tenantId, userId: principal.userId }, body.sshKeys);
  const snapshot = await askSnapshotToClone(tx, { ...key, name: `clone ${name}` });
  const { requestId, operation } = await admitWork(tx, ledgerCredit, {
    tenantId,
    ...beginsAs(from),
    userId: principal.userId,
    name,
    shape,
    sshKeys: keys?.map(({ publicKey }) => publicKey) ?? from.ssh_keys,
    priority: await priorityOf(context),
    fromSnapshot: snapshot.id,
    price: priceOf(await pricesNow(tx, at), shape),
    ...(impossible === undefined ? {} : { impossible }),
    at,
  });
  await recordClone(tx, { from, leaseId: requestId, name, at });
  const details = { name, flavor: flavor.name, from: from.id, snapshotId: snapshot.id };
  context.note({ target: requestId, details });
  return {
    lease: await leaseOf(context, requestId),
    operation: showOperation(operation),
  };
};

/** Without the flavor's own further disks. A copy never has less room than what is copied. */
function diskFor(from: Shape, flavor: Flavor, asked: number | undefined): number {
  const least = askedDiskGiB(flavor, from.diskGiB);
  if (asked === undefined || asked >= least) return asked ?? least;
  throw new Failure(
    "rule_violation",
    `A disk of ${asked} GiB is smaller than the ${least} GiB that the copy needs; ask for that or more.`,
    { details: { asked, minimum: least } },
  );
}
