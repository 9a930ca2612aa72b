import { z } from "zod";

import { operation } from "#contract/operation.ts";
import { poolName } from "#contract/schemas/catalog.ts";
import { nothing, page, pageQuery } from "#contract/schemas/common.ts";
import * as pools from "#contract/schemas/pools.ts";

const ofPool = z.strictObject({ name: poolName });

export const poolOperations = {
  listPools: operation({
    method: "GET",
    path: "/v1/pools",
    summary: "Pools with their devices, what is allocated, the reserve and the utilization",
    tag: "catalog",
    permission: "platform.read",
    query: pageQuery,
    result: page(pools.pool),
  }),
  getPool: operation({
    method: "GET",
    path: "/v1/pools/{name}",
    summary: "One pool",
    tag: "catalog",
    permission: "platform.read",
    params: ofPool,
    result: pools.pool,
  }),
  createPool: operation({
    method: "POST",
    path: "/v1/pools",
    summary: "Add a pool, from a preset or from nothing; its rules are checked",
    tag: "catalog",
    permission: "platform.manage",
    audit: "pool.create",
    status: 201,
    body: pools.createPoolBody,
    result: pools.pool,
    failures: ["rule_violation", "conflict"],
  }),
  updatePool: operation({
    method: "PATCH",
    path: "/v1/pools/{name}",
    summary: "Change how a pool is sold; refused while something on its hosts stands in the way",
    tag: "catalog",
    permission: "platform.manage",
    audit: "pool.update",
    params: ofPool,
    body: pools.updatePoolBody,
    result: pools.pool,
    failures: ["rule_violation", "wrong_state"],
  }),
  deletePool: operation({
    method: "DELETE",
    path: "/v1/pools/{name}",
    summary: "Remove a pool that has no hosts and no flavors",
    tag: "catalog",
    permission: "platform.manage",
    audit: "pool.delete",
    status: 204,
    params: ofPool,
    result: nothing,
    failures: ["wrong_state"],
  }),
};
