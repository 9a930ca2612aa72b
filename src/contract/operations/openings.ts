import { z } from "zod";

import { operation } from "#contract/operation.ts";
import { id, nothing, page, pageQuery } from "#contract/schemas/common.ts";
import * as openings from "#contract/schemas/openings.ts";

const ofProject = z.strictObject({ projectId: id });

export const openingOperations = {
  listOpenings: operation({
    method: "GET",
    path: "/v1/projects/{projectId}/openings",
    summary: "Ports of a project's machines that are open to others, oldest first",
    tag: "openings",
    permission: "compute.read",
    params: ofProject,
    query: pageQuery,
    result: page(openings.opening),
  }),
  createOpening: operation({
    method: "POST",
    path: "/v1/projects/{projectId}/openings",
    summary: "Open a port of a project's machines, or of one lease's, to the addresses given",
    tag: "openings",
    permission: "compute.use",
    audit: "opening.create",
    status: 201,
    params: ofProject,
    body: openings.createOpeningBody,
    result: openings.opening,
    failures: ["rule_violation", "unsupported", "wrong_state", "quota_exceeded"],
  }),
  deleteOpening: operation({
    method: "DELETE",
    path: "/v1/openings/{openingId}",
    summary: "Close a port again; what another opening lets in still comes in",
    tag: "openings",
    permission: "compute.use",
    audit: "opening.delete",
    status: 204,
    params: z.strictObject({ openingId: id }),
    result: nothing,
  }),
};
