/** Snapshots of leases. */
import type { Handler } from "#api/handler.ts";
import { pageOf } from "#api/page.ts";
import type { Operations } from "#contract/operations.ts";
import { askDeleteSnapshot, askRevert, askSnapshot } from "#flow/provision/snapshot-asks.ts";
import { memoryKept } from "#flow/provision/snapshot-memory.ts";
import { listSnapshots } from "#flow/provision/snapshots.ts";

import { keyOf } from "./leases.ts";
import { leaseOf, showOperation, showSnapshot } from "./show.ts";

export const listSnapshotsHandler: Handler<Operations["listSnapshots"]> = async (
  { params, query },
  context,
) => {
  const { tx, tenantId } = context;
  await leaseOf(context, params.leaseId);
  return pageOf(query, {
    load: (ask) => listSnapshots(tx, { tenantId, requestId: params.leaseId }, ask),
    show: showSnapshot,
    positionOf: (row) => ({ at: row.created_at, id: row.id }),
  });
};

export const createSnapshot: Handler<Operations["createSnapshot"]> = async (
  { params, body },
  context,
) => {
  const key = keyOf(context, params.leaseId);
  const withMemory = await memoryKept(context.tx, key, body.withMemory);
  const { snapshot, operation } = await askSnapshot(context.tx, {
    ...key,
    name: body.name,
    withMemory,
  });
  context.note({ target: snapshot.id, details: { leaseId: params.leaseId, name: body.name } });
  return { snapshot: showSnapshot(snapshot), operation: showOperation(operation) };
};

export const revertSnapshot: Handler<Operations["revertSnapshot"]> = async (
  { params },
  context,
) => {
  const key = { ...keyOf(context, params.leaseId), snapshotId: params.snapshotId };
  const operation = await askRevert(context.tx, key);
  const lease = await leaseOf(context, params.leaseId);
  return { lease, operation: showOperation(operation) };
};

export const deleteSnapshot: Handler<Operations["deleteSnapshot"]> = async (
  { params },
  context,
) => {
  const key = { ...keyOf(context, params.leaseId), snapshotId: params.snapshotId };
  return { operation: showOperation(await askDeleteSnapshot(context.tx, key)) };
};
