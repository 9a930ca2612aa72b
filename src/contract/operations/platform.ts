import { z } from "zod";

import { operation } from "#contract/operation.ts";
import { id, page, pageQuery } from "#contract/schemas/common.ts";
import * as platform from "#contract/schemas/platform.ts";

const ofSite = z.strictObject({ name: z.string().min(1).max(100) });
const ofMachine = z.strictObject({ machineId: id });

export const platformOperations = {
  listAudit: operation({
    method: "GET",
    path: "/v1/audit",
    summary: "Who did what, newest first",
    tag: "platform",
    permission: "audit.read",
    query: pageQuery.extend(platform.auditFilters),
    result: page(platform.auditEntry),
  }),
  getSystem: operation({
    method: "GET",
    path: "/v1/system",
    summary: "Sites, loops and findings of this installation",
    tag: "platform",
    permission: "platform.read",
    result: platform.system,
  }),
  retireSite: operation({
    method: "DELETE",
    path: "/v1/sites/{name}",
    summary: "Say that a site is gone for good; one that answers again is back by itself",
    tag: "platform",
    permission: "platform.manage",
    audit: "site.retire",
    params: ofSite,
    result: platform.retiredSite,
    failures: ["wrong_state"],
  }),
  listOrphans: operation({
    method: "GET",
    path: "/v1/orphans",
    summary: "Machines at a platform that no row wants, the oldest first",
    tag: "platform",
    permission: "platform.read",
    query: pageQuery,
    result: page(platform.orphan),
  }),
  adoptOrphan: operation({
    method: "POST",
    path: "/v1/orphans/{machineId}/adoption",
    summary: "Make a kept machine a lease again, metered from now on",
    tag: "platform",
    permission: "platform.manage",
    audit: "orphan.adopt",
    status: 201,
    params: ofMachine,
    body: platform.adoptOrphanBody,
    result: platform.adoptedOrphan,
    failures: ["wrong_state", "conflict", "capacity", "unsupported"],
  }),
  removeOrphan: operation({
    method: "DELETE",
    path: "/v1/orphans/{machineId}",
    summary: "Let a kept machine be removed, with its disks",
    tag: "platform",
    permission: "platform.manage",
    audit: "orphan.remove",
    params: ofMachine,
    result: platform.orphan,
    failures: ["wrong_state"],
  }),
  followEvents: operation({
    method: "GET",
    path: "/v1/events",
    summary: "Server-sent events: which of the tenant's resources changed",
    tag: "platform",
    permission: "compute.read",
    result: z.unknown(),
    transport: "events",
  }),
  getHealth: operation({
    method: "GET",
    path: "/healthz",
    summary: "The process answers",
    tag: "platform",
    permission: "public",
    result: platform.health,
  }),
  getReadiness: operation({
    method: "GET",
    path: "/readyz",
    summary: "It can serve: the database answers and the loops run",
    tag: "platform",
    permission: "public",
    result: platform.readiness,
  }),
  getMetrics: operation({
    method: "GET",
    path: "/metrics",
    summary: "Prometheus metrics",
    tag: "platform",
    permission: "public",
    result: z.unknown(),
    transport: "text",
  }),
  getOpenApi: operation({
    method: "GET",
    path: "/openapi.json",
    summary: "This table as OpenAPI 3.1",
    tag: "platform",
    permission: "public",
    result: z.unknown(),
  }),
};
