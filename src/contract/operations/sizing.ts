import { z } from "zod";

import { operation } from "#contract/operation.ts";
import { id, nothing } from "#contract/schemas/common.ts";
import * as sizing from "#contract/schemas/sizing.ts";

const ofLease = z.strictObject({ leaseId: id });

export const sizingOperations = {
  getLeaseRecommendation: operation({
    method: "GET",
    path: "/v1/leases/{leaseId}/recommendation",
    summary:
      "How large the lease should be by what it used, what that would cost, and how sure that is",
    tag: "leases",
    permission: "compute.read",
    params: ofLease,
    result: sizing.recommendation,
  }),
  setSizing: operation({
    method: "PUT",
    path: "/v1/leases/{leaseId}/sizing",
    summary: "Let the platform resize the lease by itself, within bounds and never with a restart",
    tag: "leases",
    permission: "compute.use",
    audit: "lease.size-by-use",
    params: ofLease,
    body: sizing.setSizingBody,
    result: sizing.recommendation,
    failures: ["wrong_state", "rule_violation"],
  }),
  deleteSizing: operation({
    method: "DELETE",
    path: "/v1/leases/{leaseId}/sizing",
    summary: "The lease stays as large as it is until its customer says otherwise",
    tag: "leases",
    permission: "compute.use",
    audit: "lease.size-by-hand",
    status: 204,
    params: ofLease,
    result: nothing,
  }),
};
