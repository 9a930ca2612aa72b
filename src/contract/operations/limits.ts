import { z } from "zod";

import { operation } from "#contract/operation.ts";
import { id } from "#contract/schemas/common.ts";
import * as limits from "#contract/schemas/limits.ts";

export const limitOperations = {
  listLimits: operation({
    method: "GET",
    path: "/v1/limits",
    summary: "What the customer and his projects may hold at one time and use in a month",
    tag: "billing",
    permission: "tenant.read",
    result: limits.queueLimits,
  }),
  setLimit: operation({
    method: "PUT",
    path: "/v1/limits",
    summary: "For the operator: what the customer may hold and use; work beyond it waits",
    tag: "billing",
    permission: "platform.manage",
    audit: "limit.set",
    body: limits.setLimitBody,
    result: limits.queueLimits,
  }),
  setProjectLimit: operation({
    method: "PUT",
    path: "/v1/projects/{projectId}/limits",
    summary: "What a project may hold and use, within what the customer may",
    tag: "billing",
    permission: "member.manage",
    audit: "limit.set-project",
    params: z.strictObject({ projectId: id }),
    body: limits.setLimitBody,
    result: limits.queueLimits,
    failures: ["rule_violation"],
  }),
  setShareCap: operation({
    method: "PUT",
    path: "/v1/limits/share",
    summary: "For the operator: the share of all GPUs of a model that one customer may hold",
    tag: "billing",
    permission: "platform.manage",
    audit: "limit.share",
    body: limits.setShareCapBody,
    result: limits.queueLimits,
  }),
};
