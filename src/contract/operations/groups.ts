import { z } from "zod";

import { operation } from "#contract/operation.ts";
import { id, page, pageQuery } from "#contract/schemas/common.ts";
import * as groups from "#contract/schemas/groups.ts";

const ofGroup = z.strictObject({ groupId: id });

export const groupOperations = {
  createGroup: operation({
    method: "POST",
    path: "/v1/groups",
    summary: "A group of leases that are alike, and that grow and shrink by what they use",
    tag: "groups",
    permission: "compute.use",
    audit: "group.create",
    status: 201,
    body: groups.createGroupBody,
    result: groups.leaseGroup,
    failures: ["rule_violation", "insufficient_credit", "unplaceable", "conflict"],
  }),
  listGroups: operation({
    method: "GET",
    path: "/v1/groups",
    summary: "Groups, newest first",
    tag: "groups",
    permission: "compute.read",
    query: pageQuery.extend({ state: z.enum(["there", "all"]).default("there") }),
    result: page(groups.leaseGroup),
  }),
  getGroup: operation({
    method: "GET",
    path: "/v1/groups/{groupId}",
    summary: "One group with its members, and what its targets ask for at this moment",
    tag: "groups",
    permission: "compute.read",
    params: ofGroup,
    result: groups.leaseGroup,
  }),
  updateGroup: operation({
    method: "PATCH",
    path: "/v1/groups/{groupId}",
    summary: "Change how many members there are or may be, and the rules for it",
    tag: "groups",
    permission: "compute.use",
    audit: "group.update",
    params: ofGroup,
    body: groups.updateGroupBody,
    result: groups.leaseGroup,
    failures: ["wrong_state", "rule_violation"],
  }),
  deleteGroup: operation({
    method: "DELETE",
    path: "/v1/groups/{groupId}",
    summary: "End the group: all members are released, with their disks",
    tag: "groups",
    permission: "compute.use",
    audit: "group.delete",
    status: 202,
    params: ofGroup,
    result: groups.leaseGroup,
    failures: ["wrong_state"],
  }),
  listGroupEvents: operation({
    method: "GET",
    path: "/v1/groups/{groupId}/events",
    summary: "What the group decided and did, with the figures behind it, newest first",
    tag: "groups",
    permission: "compute.read",
    params: ofGroup,
    query: pageQuery,
    result: page(groups.groupEvent),
  }),
};
