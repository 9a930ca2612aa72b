/** Rent, look at, start, stop, reboot, resize and release leases. */
import type { Context, Handler } from "#api/handler.ts";
import { pageOf } from "#api/page.ts";
import { inLine } from "#api/routes/schedule/line.ts";
import { offeredFlavor } from "#catalog/flavors.ts";
import { images, usableImage, type Image } from "#catalog/images.ts";
import type { BodyOf } from "#contract/operation.ts";
import type { Operations } from "#contract/operations.ts";
import { requireAgreements } from "#customers/agreements.ts";
import { requireMeans } from "#dunning/require.ts";
import { priorityOf } from "#api/routes/priority.ts";
import { besideOf } from "#flow/admit/beside.ts";
import { ledgerCredit } from "#flow/admit/credit.ts";
import { askReboot, askRelease, askStart, askStop } from "#flow/admit/lease.ts";
import type { OperationRow } from "#flow/admit/operations.ts";
import { priceOf } from "#flow/admit/price.ts";
import type { GangHow } from "#flow/admit/requests.ts";
import { resizedShape, shapeOf, withDriverOf } from "#flow/admit/shape.ts";
import { admitWork, type Priced } from "#flow/admit/work.ts";
import type { PlaceAsk } from "#flow/place/ask.ts";
import { couldEverFit, couldEverFitTogether } from "#flow/place/decide.ts";
import { wantsImage } from "#flow/place/host-images.ts";
import { keptHosts } from "#flow/place/kept-hosts.ts";
import { refuseWhileCloned } from "#flow/provision/clone-asks.ts";
import { leaseEvents } from "#flow/provision/events.ts";
import { findLease, listLeases, type LeaseView } from "#flow/provision/lease-view.ts";
import { askResize } from "#flow/provision/resize.ts";
import { projectForWork } from "#identity/projects.ts";
import { chosenSshKeys } from "#identity/ssh-keys.ts";
import { Failure } from "#kernel/failure.ts";
import type { Shape } from "#kernel/shape.ts";

import { pricesNow } from "./quote.ts";
import { leaseOf, rfc3339, showLease, showOperation } from "./show.ts";

export const createLease: Handler<Operations["createLease"]> = async ({ body }, context) => {
  const { tx, tenantId, principal } = context;
  const project = await projectForWork(tx, tenantId, body.projectId);
  await requireAgreements(tx, tenantId);
  await requireMeans(tx, { tenantId, kind: "lease" });
  const image = await usableImage(tx, body.image);
  const flavor = await offeredFlavor(tx, body.flavor);
  const shape = withDriverOf(shapeOf(flavor, { diskGiB: body.diskGiB }), image);
  requireImageFits(shape, image);
  if (body.userData !== undefined) await requireTakesUserData(context, image);
  const impossible = await impossibleOn(context, shape, { image: image.name });
  const beside = await besideOf(tx, body, { tenantId, hosts: 1 });
  const keys = await chosenSshKeys(tx, { tenantId, userId: principal.userId }, body.sshKeys);
  const price = priceOf(await pricesNow(tx, context.now()), shape);
  const { requestId, operation } = await admitWork(tx, ledgerCredit, {
    tenantId,
    projectId: project.id,
    userId: principal.userId,
    kind: "lease",
    name: body.name,
    shape,
    image: image.name,
    loginUser: image.defaultUser,
    sshKeys: keys.map((key) => key.publicKey),
    userData: body.userData,
    restart: body.restart,
    priority: await priorityOf(context),
    workload: undefined,
    plan: "on_demand",
    price,
    ...(impossible === undefined ? {} : { impossible }),
    ...(beside === undefined ? {} : { beside }),
    at: context.now(),
  });
  context.note({ target: requestId, details: { name: body.name, flavor: body.flavor } });
  return answer(context, requestId, operation);
};

export function requireImageFits(
  shape: Shape,
  image: { readonly name: string; readonly minMemoryMiB: number; readonly minDiskGiB: number },
): void {
  if (shape.memoryMiB >= image.minMemoryMiB && shape.diskGiB >= image.minDiskGiB) return;
  throw new Failure(
    "rule_violation",
    `The image ${image.name} needs ${image.minMemoryMiB} MiB of memory and ${image.minDiskGiB} GiB of disk; the flavor ${shape.flavor} has ${shape.memoryMiB} MiB and ${shape.diskGiB} GiB.`,
    {
      details: {
        image: image.name,
        minMemoryMiB: image.minMemoryMiB,
        minDiskGiB: image.minDiskGiB,
      },
    },
  );
}

export async function requireTakesUserData(
  { tx }: Context,
  { name, takesUserData }: Image,
): Promise<void> {
  if (takesUserData) return;
  const takers = (await images(tx)).filter((each) => each.takesUserData).map((each) => each.name);
  throw new Failure(
    "rule_violation",
    takers.length === 0
      ? `The image ${name} takes no user data, and no other image does.`
      : `The image ${name} takes no user data; images that do: ${takers.join(", ")}.`,
    { details: { image: name, takeUserData: takers } },
  );
}

/**
 * Waiting is right when hosts are full, and pointless when none could ever carry it. As long as no
 * host has been seen at all, nobody knows.
 */
export async function requirePlaceable(
  context: Context,
  shape: Shape,
  image?: string,
): Promise<void> {
  const impossible = await impossibleOn(context, shape, image === undefined ? {} : { image });
  if (impossible !== undefined) throw impossible;
}

/** Why no host could ever carry it; admission says it of what the quota allows. */
export async function impossibleOn(
  context: Context,
  shape: Shape,
  { kind = "lease", image }: Pick<PlaceAsk, "kind" | "image"> = {},
): Promise<Failure | undefined> {
  const hosts = await keptHosts(context.tx);
  if (hosts.length === 0) return undefined;
  const possible = couldEverFit(hosts, {
    tenantId: context.tenantId,
    kind,
    shape,
    ...(image === undefined ? {} : wantsImage(hosts, image)),
  });
  if (possible.placed) return undefined;
  return new Failure("unplaceable", possible.reason.message, {
    details: { ...possible.reason.details },
  });
}

/** The same for a gang of a job: whether all of it fits the hosts when nothing else is on them. */
export async function impossibleTogether(
  context: Context,
  of: {
    readonly shape: Shape;
    readonly image: string;
    readonly size: number;
    readonly how: GangHow;
  },
): Promise<Failure | undefined> {
  const { shape, size, how } = of;
  const hosts = await keptHosts(context.tx);
  if (hosts.length === 0) return undefined;
  const { tenantId } = context;
  const ask: PlaceAsk = { tenantId, kind: "job", shape, ...wantsImage(hosts, of.image) };
  const possible = couldEverFitTogether(
    hosts,
    Array.from({ length: size }, () => ask),
    how,
  );
  if (possible.placed) return undefined;
  const each = how === "spread" ? ", each on a host of its own" : "";
  return new Failure(
    "unplaceable",
    `Its ${size} members start together${each}; even with nothing else on the hosts there is room for ${possible.fitting} of them. ${possible.reason.message}`,
    { details: { ...possible.reason.details, members: size, fitting: possible.fitting } },
  );
}

async function answer(
  context: Context,
  leaseId: string,
  operation: OperationRow,
): Promise<{
  lease: Awaited<ReturnType<typeof leaseOf>>;
  operation: ReturnType<typeof showOperation>;
}> {
  return {
    lease: await leaseOf(context, leaseId),
    operation: showOperation(operation),
  };
}

export const getLease: Handler<Operations["getLease"]> = async ({ params }, context) =>
  inLine(context.tx, await leaseOf(context, params.leaseId));

export const listLeasesHandler: Handler<Operations["listLeases"]> = (
  { query },
  { tx, tenantId, now },
) =>
  pageOf(query, {
    load: (ask) =>
      listLeases(
        tx,
        {
          tenantId,
          state: query.state,
          projectId: query.projectId,
          name: query.name,
          nameHas: query.nameHas,
          ...(query.released === "hidden" && query.state === undefined ? { not: "released" } : {}),
        },
        ask,
        now(),
      ),
    show: showLease,
    positionOf: (row) => ({ at: row.created_at, id: row.id }),
  });

export const startLease: Handler<Operations["startLease"]> = async ({ params }, context) => {
  const key = keyOf(context, params.leaseId);
  return answer(context, params.leaseId, await askStart(context.tx, ledgerCredit, key));
};

export const stopLease: Handler<Operations["stopLease"]> = async ({ params, body }, context) => {
  const key = { ...keyOf(context, params.leaseId), graceSeconds: body.graceSeconds };
  return answer(context, params.leaseId, await askStop(context.tx, key));
};

export const rebootLease: Handler<Operations["rebootLease"]> = async ({ params }, context) =>
  answer(context, params.leaseId, await askReboot(context.tx, keyOf(context, params.leaseId)));

export const resizeLease: Handler<Operations["resizeLease"]> = async (
  { params, body },
  context,
) => {
  const { tx, tenantId } = context;
  const current = await findLease(tx, { tenantId, id: params.leaseId, at: context.now() });
  if (current === undefined) throw new Failure("not_found", "There is no such lease.");
  if (current.plan === "subscription") return growDisk(context, current, body);
  const flavor = await offeredFlavor(tx, body.flavor ?? current.shape.flavor);
  const shape = resizedShape(flavor, current.shape, body);
  const price: Priced = priceOf(await pricesNow(tx, context.now()), shape);
  const operation = await askResize(tx, { ...keyOf(context, params.leaseId), shape, price });
  context.note({
    details: { from: current.shape.flavor, to: flavor.name, diskGiB: shape.diskGiB },
  });
  return answer(context, params.leaseId, operation);
};

/** Of a subscription only the disk is the customer's to change; its size was bought. */
async function growDisk(
  context: Context,
  current: LeaseView,
  { flavor, diskGiB }: BodyOf<Operations["resizeLease"]>,
): Promise<Awaited<ReturnType<typeof answer>>> {
  if (flavor !== undefined || diskGiB === undefined) {
    throw new Failure(
      "rule_violation",
      `${current.name} is a subscription: upgrade that, or expand it for some days; only its disk is resized here.`,
    );
  }
  const shape = { ...current.shape, diskGiB };
  const price = priceOf(await pricesNow(context.tx, context.now()), shape, "subscription");
  const key = keyOf(context, current.id);
  const operation = await askResize(context.tx, { ...key, shape, price });
  context.note({ details: { diskGiB } });
  return answer(context, current.id, operation);
}

export const releaseLease: Handler<Operations["releaseLease"]> = async ({ params }, context) => {
  const { tx, tenantId } = context;
  const current = await findLease(tx, { tenantId, id: params.leaseId, at: context.now() });
  if (current?.plan === "subscription" && current.ended_at === null) {
    throw new Failure(
      "rule_violation",
      `${current.name} is a subscription: cancel that, and see before what it gives back.`,
    );
  }
  await refuseWhileCloned(tx, { tenantId, leaseId: params.leaseId });
  const { operation, joined } = await askRelease(tx, keyOf(context, params.leaseId));
  context.note({ unchanged: joined });
  return answer(context, params.leaseId, operation);
};

export const listLeaseEvents: Handler<Operations["listLeaseEvents"]> = async (
  { params, query },
  context,
) => {
  const { tx, tenantId } = context;
  await leaseOf(context, params.leaseId);
  return pageOf(query, {
    load: (ask) => leaseEvents(tx, { tenantId, requestId: params.leaseId }, ask),
    show: ({ at, kind, message, details }) => ({ at: rfc3339(at), kind, message, details }),
    positionOf: ({ at, id }) => ({ at, id }),
  });
};

export function keyOf(
  context: Context,
  leaseId: string,
): { readonly tenantId: string; readonly leaseId: string; readonly at: number } {
  return { tenantId: context.tenantId, leaseId, at: context.now() };
}
