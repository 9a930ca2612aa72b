import { expect, test } from "vitest";

import { sql } from "#db/sql.ts";
import { testDatabase } from "#test/database.ts";

import { audit, listAudit, type AuditAsk, type AuditEntry } from "./audit.ts";

const { db } = await testDatabase();
const now = Date.parse("2026-05-04T10:00:00.000Z");
const [tenantId, otherId] = [
  "019f0000-0000-7000-8000-000000000001",
  "019f0000-0000-7000-8000-000000000002",
];
for (const id of [tenantId, otherId]) {
  // oxlint-disable-next-line no-await-in-loop -- two rows
  await db.execute(sql`insert into tenant (id, kind, name, display_name, time_zone, created_at)
    values (${id}, 'customer', ${id}, 'T', 'UTC', now())`);
}

function by(name: string) {
  return { kind: "system", name } as const;
}

function entry(at: number, more: Partial<AuditEntry> = {}): AuditEntry {
  return {
    tenantId,
    actor: { kind: "system", name: "system" },
    action: "test",
    outcome: "done",
    requestId: "r",
    at,
    ...more,
  };
}

test("entries are read newest first, page by page, by their tenant only", async () => {
  await db.tenant(tenantId, async (tx) => {
    for (const at of [now, now + 1, now + 1, now + 2]) {
      // oxlint-disable-next-line no-await-in-loop -- in this order
      await audit(tx, entry(at));
    }
  });
  const read = (ask: { after: { at: number; id: string } | undefined; limit: number }) =>
    db.tenant(tenantId, (tx) => listAudit(tx, tenantId, ask));
  const whole = await read({ after: undefined, limit: 10 });
  expect(whole.map(({ at }) => at - now)).toEqual([2, 1, 1, 0]);
  const first = await read({ after: undefined, limit: 2 });
  const rest = await read({ after: first.at(-1), limit: 10 });
  expect([...first, ...rest]).toEqual(whole);
  const others = await db.tenant(otherId, (tx) =>
    listAudit(tx, tenantId, { after: undefined, limit: 10 }),
  );
  expect(others).toEqual([]);
});

test("what was written stays as it was written, even for the owner of the table", async () => {
  await db.transaction((tx) => audit(tx, entry(now)));
  for (const statement of [
    sql`update audit_entry set action = 'other'`,
    sql`delete from audit_entry`,
    sql`truncate audit_entry`,
  ]) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await expect(db.execute(statement)).rejects.toThrow("append-only");
  }
  const asTenant = db.tenant(tenantId, (tx) => tx.execute(sql`delete from audit_entry`));
  await expect(asTenant).rejects.toThrow("permission denied");
});

test("a tenant cannot write into the log of another", async () => {
  const write = db.tenant(otherId, (tx) => audit(tx, entry(now)));
  await expect(write).rejects.toThrow("row-level security");
});

test("details that no column holds do not stop the mutation", async () => {
  const at = now + 1000;
  const details = { nul: "a\0b", amount: 12n, lone: "\ud800" };
  await db.transaction((tx) => audit(tx, entry(at, { details, target: "t".repeat(9999) })));
  await db.transaction((tx) => audit(tx, entry(at + 1, { details: { long: "x".repeat(99_999) } })));
  const [long, odd] = await db.transaction((tx) =>
    listAudit(tx, tenantId, { after: undefined, limit: 2 }),
  );
  expect(odd).toMatchObject({ details: { nul: "a\ufffdb", amount: "12" } });
  expect(odd?.target).toHaveLength(500);
  expect(long?.details).toEqual({ omitted: 100_010 });
});

test("filters hold at once: who, what, of what, how it ended, when, which request", async () => {
  const at = Date.parse("2027-01-01T00:00:00.000Z");
  const written: Partial<AuditEntry>[] = [
    { actor: by("Li Na"), action: "lease.create", target: "web-1" },
    { actor: by("Li Na"), action: "lease.release", target: "web-1", outcome: "refused" },
    { actor: by("100%_\\"), action: "leases", target: "WEB-2", requestId: "r9" },
  ];
  await db.transaction(async (tx) => {
    for (const [index, more] of written.entries()) {
      // oxlint-disable-next-line no-await-in-loop -- in this order
      await audit(tx, entry(at + index, more));
    }
  });
  const actions = async (filter: Omit<AuditAsk, "after" | "limit">): Promise<string[]> => {
    const ask = { since: at, after: undefined, limit: 10, ...filter };
    return (await db.transaction((tx) => listAudit(tx, tenantId, ask))).map(({ action }) => action);
  };
  expect(await actions({})).toEqual(["leases", "lease.release", "lease.create"]);
  expect(await actions({ actor: "li n" })).toEqual(["lease.release", "lease.create"]);
  expect(await actions({ actor: "%_" })).toEqual(["leases"]);
  expect(await actions({ action: "lease" })).toEqual(["lease.release", "lease.create"]);
  expect(await actions({ action: "lease.create" })).toEqual(["lease.create"]);
  expect(await actions({ target: "web-2" })).toEqual(["leases"]);
  expect(await actions({ actor: "li", outcome: "refused" })).toEqual(["lease.release"]);
  expect(await actions({ requestId: "r9" })).toEqual(["leases"]);
  expect(await actions({ since: at + 1, until: at + 2 })).toEqual(["lease.release"]);
});
