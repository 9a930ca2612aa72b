import { z } from "zod";

import { operation } from "#contract/operation.ts";
import { id } from "#contract/schemas/common.ts";
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
