import { z } from "zod";

import { operation } from "#contract/operation.ts";
import { id, nothing } from "#contract/schemas/common.ts";
import { leaseOperation } from "#contract/schemas/compute.ts";
import * as idle from "#contract/schemas/idle.ts";
import { month } from "#contract/schemas/insights.ts";

const ofLease = z.strictObject({ leaseId: id });
const ofScope = z.strictObject({ scope: idle.idleScope });

export const idleOperations = {
  listIdlePolicies: operation({
    method: "GET",
    path: "/v1/idle/policies",
    summary: "For the operator: when leases by the hour that nobody uses are released",
    tag: "idle",
    permission: "platform.read",
    result: z.object({ items: z.array(idle.idlePolicy) }),
  }),
  setIdlePolicy: operation({
    method: "PUT",
    path: "/v1/idle/policies/{scope}",
    summary:
      "For the operator: release leases of a flavor, or of all others (`default`), when idle",
    tag: "idle",
    permission: "platform.manage",
    audit: "idle-policy.set",
    params: ofScope,
    body: idle.idleRules,
    result: idle.idlePolicy,
  }),
  deleteIdlePolicy: operation({
    method: "DELETE",
    path: "/v1/idle/policies/{scope}",
    summary: "For the operator: these leases go by `default` again; without that, none is released",
    tag: "idle",
    permission: "platform.manage",
    audit: "idle-policy.delete",
    status: 204,
    params: ofScope,
    result: nothing,
  }),
  getIdleReport: operation({
    method: "GET",
    path: "/v1/idle/report",
    summary: "For the operator: leases released for idleness, what that saved, and each reversal",
    tag: "idle",
    permission: "platform.read",
    /** This month unless told otherwise. */
    query: z.strictObject({ month: month.optional() }),
    result: idle.idleReport,
  }),
  getLeaseIdleness: operation({
    method: "GET",
    path: "/v1/leases/{leaseId}/idleness",
    summary: "Since when nobody uses the lease, and what will happen",
    tag: "leases",
    permission: "compute.read",
    params: ofLease,
    result: idle.idleness,
  }),
  keepLease: operation({
    method: "POST",
    path: "/v1/leases/{leaseId}/keep",
    summary: "Keep a lease that is about to be released for idleness",
    tag: "leases",
    permission: "compute.use",
    audit: "lease.keep",
    params: ofLease,
    body: idle.keepLeaseBody,
    result: idle.idleness,
    failures: ["wrong_state", "rule_violation"],
  }),
  restoreSnapshot: operation({
    method: "POST",
    path: "/v1/snapshots/{snapshotId}/restore",
    summary: "Rent a machine again that was released for idleness, from the snapshot of its disk",
    tag: "leases",
    permission: "compute.use",
    audit: "snapshot.restore",
    status: 202,
    params: z.strictObject({ snapshotId: id }),
    body: idle.restoreSnapshotBody,
    result: leaseOperation,
    failures: [
      "wrong_state",
      "rule_violation",
      "quota_exceeded",
      "insufficient_credit",
      "unplaceable",
      "conflict",
    ],
  }),
};
