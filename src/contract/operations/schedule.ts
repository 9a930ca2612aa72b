import { z } from "zod";

import { operation } from "#contract/operation.ts";
import { id, page, pageQuery } from "#contract/schemas/common.ts";
import * as schedule from "#contract/schemas/schedule.ts";

export const scheduleOperations = {
  explainRequest: operation({
    method: "GET",
    path: "/v1/requests/{requestId}/why",
    summary: "Why a lease or a job waits, in which place, and when it will start",
    tag: "schedule",
    permission: "compute.read",
    params: z.strictObject({ requestId: id }),
    result: schedule.requestWhy,
  }),
  listQueue: operation({
    method: "GET",
    path: "/v1/queue",
    summary: "For the operator: who waits, over all customers, in the order in which they start",
    tag: "schedule",
    permission: "platform.read",
    /** `pool`: a GPU model, or `cpu`. */
    query: pageQuery.extend({ pool: z.string().min(1).max(63).optional() }),
    result: page(schedule.inQueue),
  }),
  planRequest: operation({
    method: "POST",
    path: "/v1/plans/request",
    summary: "Whether something would have room now, before it is ordered; nothing is held",
    tag: "schedule",
    permission: "catalog.read",
    body: schedule.planRequestBody,
    result: schedule.requestPlan,
    failures: ["rule_violation"],
  }),
  planFleet: operation({
    method: "POST",
    path: "/v1/plans/fleet",
    summary: "For the operator: what other hosts or pools would do to what runs and waits",
    tag: "schedule",
    permission: "platform.read",
    body: schedule.planFleetBody,
    result: schedule.fleetPlan,
  }),
  replaySchedule: operation({
    method: "POST",
    path: "/v1/schedule/replay",
    summary: "For the operator: real history under another scheduling policy",
    tag: "schedule",
    permission: "platform.read",
    body: schedule.replayScheduleBody,
    result: schedule.scheduleReplay,
  }),
};
