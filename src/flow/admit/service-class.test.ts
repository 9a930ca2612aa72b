/** A tenant whom the operator calls core rents core machines alone. */
import { expect, test } from "vitest";
import { z } from "zod";

import { sql } from "#db/sql.ts";
import { testDatabase } from "#test/database.ts";
import { addTenant, endlessCredit, lease, rent, shape, type TestTenant } from "#test/sim/cloud.ts";

import { endRequest } from "./requests.ts";
import { requireClass, requireNothingShared } from "./service-class.ts";

const { db } = await testDatabase();
const core = shape({ serviceClass: "core" });

async function coreTenant(name: string): Promise<TestTenant> {
  const tenant = await addTenant(db, name);
  await db.execute(sql`update tenant set service_class = 'core' where id = ${tenant.tenantId}`);
  return tenant;
}

test("I-DES-02: a core tenant's order of a machine that shares its CPUs is refused with the reason, nothing of it stays", async () => {
  const tenant = await coreTenant("strict");
  const { tenantId } = tenant;
  await expect(rent(db, lease(tenant), endlessCredit)).rejects.toMatchObject({
    code: "rule_violation",
    message: expect.stringContaining("rents core instances alone"),
    details: { serviceClass: "standard", required: "core" },
  });
  expect(
    await db.rows(sql`select id from request where tenant_id = ${tenantId}`, z.unknown()),
  ).toEqual([]);
  await rent(db, lease(tenant, { shape: core }), endlessCredit);
  // A size that shares its CPUs is none for it either.
  await expect(
    db.tenant(tenantId, (tx) => requireClass(tx, { tenantId, shape: shape() })),
  ).rejects.toMatchObject({ code: "rule_violation" });
  const relaxed = await addTenant(db, "relaxed");
  await rent(db, lease(relaxed), endlessCredit);
  await rent(db, lease(relaxed, { name: "other", shape: core }), endlessCredit);
});

test("nobody becomes core as long as he has a machine that shares its CPUs", async () => {
  const tenant = await addTenant(db, "becoming");
  const { tenantId } = tenant;
  await rent(db, lease(tenant, { name: "core-1", shape: core }), endlessCredit);
  const id = await rent(db, lease(tenant, { name: "shared-1" }), endlessCredit);
  const become = () => db.transaction((tx) => requireNothingShared(tx, tenantId));
  await expect(become()).rejects.toMatchObject({
    code: "wrong_state",
    message: expect.stringContaining("shared-1"),
    details: { leases: ["shared-1"] },
  });
  await db.tenant(tenantId, (tx) => endRequest(tx, { tenantId, id, at: Date.now(), reason: null }));
  await become();
});
