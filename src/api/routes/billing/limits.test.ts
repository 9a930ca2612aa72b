/** Limits as their owners set and see them; that the queue keeps them is place/loop.test.ts. */
import { expect, test } from "vitest";
import { z } from "zod";

import { queueLimits } from "#contract/schemas/limits.ts";
import { sql } from "#db/sql.ts";
import { testApi } from "#test/api-server.ts";

import { limitHandlers } from "./limits.ts";

const api = await testApi({ handlers: limitHandlers });
const { ask, customer, operator } = api;
const admin = customer.administrator.secret;

const { id: projectId } = await api.db.one(
  sql`select id from project where tenant_id = ${customer.tenant.id} limit 1`,
  z.object({ id: z.string() }),
);

function put(path: string, body: unknown, by: "operator" | "admin"): ReturnType<typeof ask> {
  return by === "admin"
    ? ask("PUT", path, { secret: admin, body })
    : ask("PUT", path, {
        secret: operator.secret,
        body,
        headers: { "millrace-tenant": customer.tenant.id },
      });
}

test("S-13: the operator limits a customer, a domain admin his projects within that", async () => {
  expect((await put("/v1/limits", { gpuModel: "A100", gpusMax: 4 }, "admin")).status).toBe(403);
  const set = await put("/v1/limits", { gpuModel: "A100", gpusMax: 4 }, "operator");
  expect(set.status).toBe(200);
  const path = `/v1/projects/${projectId}/limits`;
  const beyond = await put(path, { gpuModel: "A100", gpusMax: 5 }, "admin");
  expect(beyond.status).toBe(422);
  expect(beyond.body).toMatchObject({ code: "rule_violation" });
  expect((await put(path, { gpuModel: "A100", gpusMax: 0.5 }, "admin")).status).toBe(200);
  expect((await put(path, { moneyPerMonth: "500" }, "admin")).status).toBe(200);
  const { body } = await ask("GET", "/v1/limits", { secret: admin });
  const { limits, shares } = queueLimits.parse(body);
  expect(limits).toMatchObject([
    { projectId: null, gpuModel: "A100", gpusMax: 4, moneyPerMonth: null },
    { projectId, gpuModel: null, gpusMax: null, moneyPerMonth: "500.00" },
    { projectId, gpuModel: "A100", gpusMax: 0.5, moneyPerMonth: null },
  ]);
  expect(shares).toEqual([{ gpuModel: "*", percent: 100 }]);
});

test("a limit that says nothing goes; one that makes no sense is refused", async () => {
  expect((await put("/v1/limits", { gpuModel: "A100" }, "operator")).status).toBe(200);
  const { body } = await ask("GET", "/v1/limits", { secret: admin });
  expect(queueLimits.parse(body).limits.filter((limit) => limit.projectId === null)).toEqual([]);
  for (const wrong of [
    { gpusMax: -1 },
    { gpuHoursPerMonth: 0.5 },
    { gpuModel: "A100", moneyPerMonth: "5" },
    { moneyPerMonth: "1e3" },
    { gpuModel: "A 100", gpusMax: 1 },
  ]) {
    // oxlint-disable-next-line no-await-in-loop -- a few
    expect((await put("/v1/limits", wrong, "operator")).status).toBe(400);
  }
});

test("S-13: the operator says which share of a model one customer may hold", async () => {
  expect((await put("/v1/limits/share", { percent: 50 }, "admin")).status).toBe(403);
  for (const percent of [0, 101, 33.3]) {
    // oxlint-disable-next-line no-await-in-loop -- a few
    expect((await put("/v1/limits/share", { percent }, "operator")).status).toBe(400);
  }
  const { body } = await put("/v1/limits/share", { gpuModel: "H100", percent: 25 }, "operator");
  expect(queueLimits.parse(body).shares).toEqual([
    { gpuModel: "*", percent: 100 },
    { gpuModel: "H100", percent: 25 },
  ]);
});
